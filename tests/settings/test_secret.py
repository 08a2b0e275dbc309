"""A secret is read late, read again, and never shown."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from settings import Auth, Secret, SecretError, Section

HIDDEN = "hunter2-correct-horse"


class _Login(Section):
    password: Secret


def test_an_environment_variable_is_revealed_late(monkeypatch: pytest.MonkeyPatch) -> None:
    login = _Login.model_validate({"password": {"env": "STALEWATCH_TEST_SECRET"}})
    with pytest.raises(SecretError, match="STALEWATCH_TEST_SECRET is not set"):
        login.password.reveal()
    monkeypatch.setenv("STALEWATCH_TEST_SECRET", HIDDEN)
    assert login.password.reveal() == HIDDEN


def test_a_file_is_read_again_once_it_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("first\n")
    secret = Secret(file=file)
    assert secret.reveal() == "first"
    replacement = tmp_path / "new"
    replacement.write_text("other\n")
    replacement.replace(file)
    assert secret.reveal() == "other"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_a_file_without_a_secret_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    with pytest.raises(SecretError, match=str(file)):
        Secret(file=file).reveal()


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(HIDDEN)
    auth = Auth.model_validate({"username": "u", "password": {"file": str(file)}})
    assert auth.password is not None
    assert auth.password.reveal() == HIDDEN
    shown = [repr(auth), str(auth), auth.model_dump_json(), str(auth.model_dump())]
    shown += [repr(auth.password), str(auth.password), f"{auth.password}"]
    assert not any(HIDDEN in text for text in shown)
    assert json.loads(auth.model_dump_json())["password"] == {"file": str(file)}


@pytest.mark.parametrize("given", [HIDDEN, 12345, {"plain": HIDDEN}, {"env": ""}, [HIDDEN], None])
def test_what_is_no_source_is_refused_and_not_repeated(given: object) -> None:
    with pytest.raises(
        ValidationError, match=r"expected \{env: NAME\} or \{file: PATH\}"
    ) as caught:
        _Login.model_validate({"password": given})
    assert HIDDEN not in str(caught.value)


def test_a_relative_file_stands_beside_the_config(tmp_path: Path) -> None:
    (tmp_path / "s").write_text(HIDDEN)
    login = _Login.model_validate({"password": {"file": "s"}}, context={"base": tmp_path})
    assert login.password.reveal() == HIDDEN


@pytest.mark.parametrize(
    "given",
    [{}, {"username": "u"}, {"password": {"env": "A"}, "token": {"env": "B"}}],
    ids=["nothing", "a user alone", "both ways"],
)
def test_auth_is_a_password_or_a_token(given: object) -> None:
    with pytest.raises(ValidationError, match="expected a password or a token"):
        Auth.model_validate(given)
