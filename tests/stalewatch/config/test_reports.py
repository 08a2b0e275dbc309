"""The section `reports`: what is refused, with its place."""

from datetime import time
from pathlib import Path

import pytest

from reports.ask import Subscription
from stalewatch.config import ConfigError, load
from stalewatch.reporting import subscriptions_of
from tests.stalewatch.config.configs import GOOD, written

MAIL = (
    "channels:\n"
    '  sre: {kind: mail, smtp: "127.0.0.1:25", tls: none, from: a@b.test, to: [c@d.test]}\n'
    '  hook: {kind: webhook, url: "https://ops.test/hook"}\n'
)


def config(report: str) -> str:
    return f"{GOOD}{MAIL}reports:\n  weekly: {report}\n"


def test_a_report_as_it_is_declared(tmp_path: Path) -> None:
    text = config('{channel: sre, to: [x@y.test], time_zone: Europe/Berlin, at: "06:30"}')
    assert subscriptions_of(load(written(tmp_path, text))) == [
        Subscription("weekly", "Europe/Berlin", "", time(6, 30), "sre", ("x@y.test",))
    ]


def test_without_any_there_is_one_that_is_sent_to_nobody(tmp_path: Path) -> None:
    assert subscriptions_of(load(written(tmp_path, GOOD))) == [Subscription("weekly")]


@pytest.mark.parametrize(
    ("report", "says"),
    [
        ("{channel: ser}", "reports.weekly.channel: no such entry in channels; did you mean sre?"),
        ("{channel: hook}", "reports.weekly.channel: expected a channel of kind mail"),
        ("{to: [x@y.test]}", "reports.weekly: expected channel beside `to`"),
        ("{channel: sre, to: [x]}", "reports.weekly.to[0]: expected a mail address"),
        ("{owner: nobody}", "reports.weekly.owner: no keyspace has this owner"),
        ("{time_zone: Berlin}", "reports.weekly.time_zone: expected a time zone such as"),
        ("{at: 08:00:00}", "reports.weekly.at: expected a time of day in quotes"),
        ('{at: "24:00"}', "reports.weekly.at: expected a time of day in quotes"),
        ("{at: 8}", "reports.weekly.at: expected a time of day in quotes"),
        ("{day: monday}", "reports.weekly.day:"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(tmp_path: Path, report: str, says: str) -> None:
    text = config(report)
    with pytest.raises(ConfigError) as refused:
        load(written(tmp_path, text))
    line = text.splitlines().index(f"  weekly: {report}") + 1
    assert says in str(refused.value)
    assert f":{line}:" in str(refused.value)
