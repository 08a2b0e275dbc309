"""TLS contexts are made from files, and made anew once these change."""

import shutil
from pathlib import Path

import pytest
import trustme
from pydantic import ValidationError

from settings import Tls, TlsError


def test_a_context_is_made_anew_once_a_file_has_changed(tmp_path: Path) -> None:
    ca, new = tmp_path / "ca.pem", tmp_path / "new.pem"
    trustme.CA().cert_pem.write_to_path(str(ca))
    tls = Tls(ca=ca)
    first = tls.context()
    assert tls.context() is first
    trustme.CA().cert_pem.write_to_path(str(new))
    new.replace(ca)
    assert tls.context() is not first


def test_a_certificate_that_does_not_fit_its_key_is_an_error(tmp_path: Path) -> None:
    authority = trustme.CA()
    for name in ("one", "other"):
        identity = authority.issue_cert("x.test")
        identity.private_key_pem.write_to_path(str(tmp_path / f"{name}.key"))
        identity.cert_chain_pems[0].write_to_path(str(tmp_path / f"{name}.crt"))
    tls = Tls(cert=tmp_path / "one.crt", key=tmp_path / "other.key")
    with pytest.raises(TlsError, match=r"one\.crt with .*other\.key: .*mismatch"):
        tls.context()
    shutil.copy(tmp_path / "one.key", tmp_path / "other.key")
    tls.context()


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TlsError, match=r"cannot read .*no\.pem: No such file"):
        Tls(ca=tmp_path / "no.pem").context()


def test_what_is_no_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nonsense")
    with pytest.raises(TlsError, match=r"ca\.pem"):
        Tls(ca=tmp_path / "ca.pem").context()


def test_a_certificate_needs_its_key() -> None:
    with pytest.raises(ValidationError, match="expected both cert and key"):
        Tls(cert=Path("a.crt"))
