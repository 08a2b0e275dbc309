"""The section `rules`: what it becomes, and which rules are refused, each with its place."""

from pathlib import Path

import pytest

from alerts.rules import PropagationLag, Silent, Staleness
from alerts.state import Timing, Why
from stalewatch.config import ConfigError, load
from stalewatch.rules import make_rules
from tests.stalewatch.config.configs import GOOD, written

S = 10**9
CHANNELS = """\
channels:
  sre: {kind: mail, smtp: "mail.test:25", tls: none, from: sw@example.com, to: [sre@example.com]}
"""
OTLP = GOOD.replace('listen: "127.0.0.1:8080"}', 'listen: "127.0.0.1:8080", otlp: {}}')
RULES = OTLP + CHANNELS + "rules:\n"


def test_a_rule_of_each_kind(tmp_path: Path) -> None:
    text = RULES + (
        "  lag: {kind: propagation-lag, layer: edge, quantile: 0.99, limit: 5s, recovery: 3s,"
        " for: 2m, keep_firing_for: 1m, channels: [sre]}\n"
        "  deaf: {kind: silent, layer: regional, window: 10m, mode: observe}\n"
        "  stale: {kind: staleness, layer: edge, keyspace: product, share: 1%, channels: [sre]}\n"
    )
    lag, deaf, stale, default = make_rules(load(written(tmp_path, text)))
    assert lag == PropagationLag(
        name="lag",
        timing=Timing(120 * S, 60 * S),
        channels=("sre",),
        mode="notify",
        placement={"product": frozenset({"edge", "regional"})},
        layer="edge",
        limit_ns=5 * S,
        recovery_ns=3 * S,
        quantile=0.99,
    )
    assert deaf == Silent(name="deaf", layer="regional", window_ns=600 * S)
    assert isinstance(stale, Staleness)
    assert (stale.keyspace, stale.share, stale.mode) == ("product", 0.01, "notify")
    assert default == Staleness(name="staleness:regional", layer="regional")


def test_without_rules_staleness_of_each_layer_is_observed(tmp_path: Path) -> None:
    rules = make_rules(load(written(tmp_path, GOOD)))
    assert sorted((rule.name, rule.mode) for rule in rules) == [
        ("staleness:edge", "observe"),
        ("staleness:regional", "observe"),
    ]


LAG = "  lag: {kind: propagation-lag, mode: observe, limit: 5s"


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        pytest.param(
            LAG + ", layer: egde}", "rules.lag.layer: no such entry in layers; did you mean edge?"
        ),
        pytest.param(LAG + ", keyspace: pages}", "rules.lag.keyspace: no such entry in keyspaces"),
        pytest.param(
            LAG + ", channels: [ops]}", "rules.lag.channels[0]: no such entry in channels"
        ),
        pytest.param(LAG + ", node: e1}", "rules.lag.node: expected a layer beside it"),
        pytest.param(LAG + ", window: 5s}", "rules.lag.window: can never fire"),
        pytest.param(LAG + ", recovery: 6s}", "rules.lag.recovery: expected at most the limit"),
        pytest.param(LAG + ", quantile: 99}", "rules.lag.quantile: expected less than 1"),
        pytest.param(LAG + ", fro: 2m}", "rules.lag.fro: unknown key; did you mean for?"),
        pytest.param(
            "  s: {kind: staleness, layer: edge}",
            "rules.s: expected channels to notify, or mode: observe",
        ),
        pytest.param(
            "  s: {kind: staleness, layer: edge, mode: observe, share: 100%}",
            "rules.s.share: can never fire: no share is above 100%",
        ),
        pytest.param(
            "  s: {kind: staleness, layer: edge, mode: observe, window: 1s}",
            "rules.s.window: can never fire: expected two intervals of 1s at least",
        ),
        pytest.param(
            "  s: {kind: silent, layer: edge, mode: observe, window: 30s}",
            "rules.s.window: can never fire: expected more than 30s",
        ),
        pytest.param("  s: {kind: burn, mode: observe}", "rules.s.kind: expected propagation-lag"),
    ],
)
def test_a_rule_that_is_wrong_is_refused(rule: str, says: str, tmp_path: Path) -> None:
    _refused(tmp_path, RULES + rule + "\n", says)


def test_a_refusal_names_the_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refusal:
        load(written(tmp_path, RULES + LAG + ", layer: egde}\n"))
    (problem,) = refusal.value.problems
    assert (problem.line, problem.column) == (RULES.count("\n") + 1, len(LAG + ", layer: ") + 1)


def test_rules_on_messages_need_somebody_to_receive_them(tmp_path: Path) -> None:
    text = GOOD + "rules:\n" + LAG + "}\n"
    why = "rules.lag: can never fire: no receipt comes in without server.otlp or traces.poll"
    _refused(tmp_path, text, why)


@pytest.mark.parametrize("rule", [LAG, "  lag: {kind: silent, mode: observe"])
def test_a_layer_that_takes_no_messages_has_no_lag_and_no_silence(
    rule: str, tmp_path: Path
) -> None:
    text = RULES.replace("mechanism: purge", "mechanism: ttl") + rule + ", layer: edge}\n"
    _refused(tmp_path, text, "rules.lag.layer: can never fire: entries here go by their ttl")


def test_silence_is_told_by_others(tmp_path: Path) -> None:
    text = RULES.replace("mechanism: versioned", "mechanism: ttl")
    text += "  deaf: {kind: silent, mode: observe, layer: edge}\n"
    _refused(tmp_path, text, "rules.deaf.layer: can never fire: there is nobody else")


def _refused(folder: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says.replace("[", r"\[").replace("?", r"\?")):
        load(written(folder, text))


def test_the_example_of_the_docs_is_right(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text(encoding="utf-8")
    example = page.partition("```yaml\n")[2].partition("```")[0]
    rules = make_rules(load(written(tmp_path, OTLP + CHANNELS + example)))
    assert [rule.name for rule in rules][:3] == ["regional-stale", "edge-lag", "edge-deaf"]


def test_every_reason_of_a_transition_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text(encoding="utf-8")
    reasons = [Why.BEGAN, Why.HELD, Why.BRIEF, Why.RECOVERED, Why.GONE, Why.FADED]
    assert [why for why in reasons if f"| {why} |" not in page] == []
