"""The section `channels`: fallbacks, and addresses that are secrets."""

from pathlib import Path

import pytest

from settings import Secret, SecretError, WebUrl
from stalewatch.config import ConfigError, load
from stalewatch.falling_back import fallbacks_of
from tests.stalewatch.config.configs import GOOD, written

CHAT = '  chat: {kind: slack, url: "https://hooks.chat.test/x"}\n'
STATE = '  am: {kind: alertmanager, urls: ["http://am-0.test:9093", "http://am-1.test:9093"]}\n'


def config(channel: str, *others: str) -> str:
    return GOOD + "channels:\n" + channel + "\n" + "".join(others)


HOOK = '  sre: {kind: webhook, url: "https://ops.test/hook"'


def test_a_channel_falls_back_to_another(tmp_path: Path) -> None:
    text = config(HOOK + ", fallback: {channel: chat}}", CHAT, STATE)
    (fallback,) = fallbacks_of(load(written(tmp_path, text)))
    assert (fallback.channel, fallback.to, fallback.after_ns) == ("sre", "chat", 600 * 10**9)


@pytest.mark.parametrize(
    ("channel", "says"),
    [
        pytest.param(
            HOOK + ", fallback: {channel: chta}}",
            "channels.sre.fallback.channel: no such entry in channels; did you mean chat?",
            id="a slip",
        ),
        pytest.param(
            HOOK + ", fallback: {channel: sre}}",
            "channels.sre.fallback.channel: expected another channel than itself",
            id="itself",
        ),
        pytest.param(
            HOOK + ", fallback: {channel: am}}",
            "channels.sre.fallback.channel: expected a channel to be told in",
            id="who is told of states",
        ),
        pytest.param(
            '  sre: {kind: alertmanager, urls: ["http://a.test"], fallback: {channel: chat}}',
            "channels.sre.fallback: expected none",
            id="of who is told of states",
        ),
        pytest.param(
            HOOK + ", fallback: {channel: chat, after: 1s}}",
            "channels.sre.fallback.after: expected at least 1m",
            id="too soon",
        ),
        pytest.param(
            '  sre: {kind: webhook, url: "ftp://x.test"}',
            "channels.sre.url: expected a URL such as",
            id="no web address",
        ),
        pytest.param(
            "  sre: {kind: slack, url: {env: NOT_SET_ANYWHERE}}",
            "channels.sre.url: the environment variable NOT_SET_ANYWHERE is not set",
            id="a secret that is not there",
        ),
        pytest.param("  sre: {kind: sms}", "channels.sre.kind: expected mail", id="no such kind"),
    ],
)
def test_a_channel_that_is_wrong_is_refused(tmp_path: Path, channel: str, says: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        load(written(tmp_path, config(channel, CHAT, STATE)))
    assert says in str(refusal.value)


def test_a_heartbeat_is_read(tmp_path: Path) -> None:
    text = GOOD + 'heartbeat: {url: "https://hc.test/ping/uuid", interval: 30s, method: HEAD}\n'
    settings = load(written(tmp_path, text)).heartbeat
    assert settings is not None
    assert (settings.interval.seconds, settings.method) == (30, "HEAD")
    assert "uuid" not in repr(settings)


def test_a_secret_address_is_read_again_and_never_told(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("https://hooks.chat.test/services/T0/s3cret\n")
    url = WebUrl(secret=Secret(file=file))
    assert url.reveal().endswith("s3cret")
    assert url.place == "hooks.chat.test"
    assert "s3cret" not in f"{url} {url!r}"
    file.write_text("javascript:alert(1)")
    with pytest.raises(SecretError, match="holds is no http or https URL"):
        url.reveal()
