"""The section `rules`: what it becomes, and which rules are refused, each with its place."""

from pathlib import Path
from typing import Any

import pytest

from alerts.rules import (
    BurnRate,
    ConfigDrift,
    Drift,
    HitRate,
    MeasurementLost,
    Paced,
    PropagationLag,
    SequenceGap,
    Silent,
    Staleness,
    Unreachable,
    Watchdog,
)
from alerts.state import Timing, Why
from freshness.burn import Severity
from stalewatch.config import ConfigError, load
from stalewatch.config.rules import RULE_KINDS
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
    lag, deaf, stale, default, *_ = make_rules(load(written(tmp_path, text)))
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


PLACEMENT = {"product": frozenset({"edge", "regional"})}


def test_a_rule_of_each_other_kind(tmp_path: Path) -> None:
    text = RULES + (
        "  hits: {kind: hit-rate, layer: regional, below: 80%, drop: 20%, by: layer,"
        " least: 50, channels: [sre]}\n"
        "  gaps: {kind: sequence-gap, layer: edge, mode: observe}\n"
        "  apart: {kind: drift, layer: regional, limit: 10s, mode: observe}\n"
        "  said: {kind: config-drift, layer: edge, hints: true, mode: observe}\n"
        "  away: {kind: unreachable, layer: edge, channels: [sre]}\n"
        "  blind: {kind: measurement-lost, coverage: 80%, stale_after: 2m, mode: observe}\n"
        "  dog: {kind: watchdog, channels: [sre]}\n"
    )
    made = make_rules(load(written(tmp_path, text)))
    hits, gaps, apart, said, away, blind, dog, *defaults = made
    told: dict[str, Any] = {"channels": ("sre",), "mode": "notify"}
    assert hits == HitRate(
        name="hits", layer="regional", below=0.8, drop=0.2, by="layer", least=50, **told
    )
    assert isinstance(gaps, Paced)
    assert gaps.rule == SequenceGap(name="gaps", layer="edge", placement=PLACEMENT)
    assert isinstance(apart, Paced)
    assert apart.rule == Drift(name="apart", layer="regional", limit_ns=10 * S)
    assert isinstance(said, Paced)
    assert said.rule == ConfigDrift(name="said", layer="edge", hints=True)
    assert away == Unreachable(name="away", layer="edge", timing=Timing(300 * S), **told)
    assert blind == MeasurementLost(
        name="blind",
        intervals_ns={"product": S},
        origins=("shop",),
        layers=("edge", "regional"),
        coverage=0.8,
        stale_after_ns=120 * S,
    )
    assert dog == Watchdog(name="dog", **told)
    assert {rule.name for rule in defaults} == {"staleness:edge", "staleness:regional"}


def test_without_rules_the_defaults_are_observed(tmp_path: Path) -> None:
    """Drift needs two nodes, and the edge has one; sequences need receipts."""
    rules = make_rules(load(written(tmp_path, GOOD)))
    assert sorted((rule.name, rule.mode) for rule in rules) == [
        ("config-drift:all", "observe"),
        ("drift:regional", "observe"),
        ("measurement-lost:all", "observe"),
        ("staleness:edge", "observe"),
        ("staleness:regional", "observe"),
        ("unreachable:all", "observe"),
    ]
    heard = make_rules(load(written(tmp_path, OTLP)))
    assert "sequence-gap:all" in {rule.name for rule in heard}


OBJECTIVES = """\
objectives:
  fresh: {keyspace: product, target: 99%, window: 28d}
  loose: {keyspace: product, target: 90%, window: 28d}
"""


def test_each_objective_has_a_burn_rule(tmp_path: Path) -> None:
    asked: list[str] = []

    def standing_of(name: str, _: int) -> None:
        asked.append(name)

    text = RULES + "  burn: {kind: burn-rate, objective: fresh, severity: page, channels: [sre]}\n"
    made = make_rules(load(written(tmp_path, text + OBJECTIVES)), standing_of)
    burn, loose = (rule for rule in made if isinstance(rule, BurnRate))
    assert (burn.name, burn.mode, burn.severities) == ("burn", "notify", (Severity.PAGE,))
    assert [float(pair.threshold) for pair in burn.pairs] == [14.4, 6, 3, 1]
    assert (loose.name, loose.mode) == ("burn-rate:loose", "observe")
    assert [float(pair.threshold) for pair in loose.pairs] == [6, 3, 1]
    burn.standing(7)
    assert asked == ["fresh"]


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        pytest.param(
            "objective: fersh",
            "rules.b.objective: no such entry in objectives; did you mean fresh?",
            id="no such objective",
        ),
        pytest.param(
            "objective: narrow, severity: page, spent: false",
            "rules.b.severity: can never fire",
            id="no window of that severity",
        ),
    ],
)
def test_a_burn_rule_that_is_wrong_is_refused(rule: str, says: str, tmp_path: Path) -> None:
    narrow = (
        "  narrow: {keyspace: product, target: 99%, window: 28d,"
        " alerting: {windows: [{long: 1d, short: 2h, burn: 3, severity: ticket}]}}\n"
    )
    text = RULES + f"  b: {{kind: burn-rate, mode: observe, {rule}}}\n" + OBJECTIVES + narrow
    _refused(tmp_path, text, says)


def test_every_default_says_when_it_fires(tmp_path: Path) -> None:
    rules = make_rules(load(written(tmp_path, OTLP)))
    assert all(rule.in_words().startswith("Fires ") for rule in rules)
    assert all(rule.kind in RULE_KINDS for rule in rules)


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
        pytest.param(
            "  s: {kind: hit-rate, layer: regional, mode: observe}",
            "rules.s: expected below or drop",
        ),
        pytest.param(
            "  s: {kind: hit-rate, layer: regional, mode: observe, below: 0%}",
            "rules.s.below: can never fire: no share is below 0%",
        ),
        pytest.param(
            "  s: {kind: hit-rate, layer: regional, mode: observe, drop: 100%}",
            "rules.s.drop: can never fire: no share falls by more",
        ),
        pytest.param(
            "  s: {kind: hit-rate, layer: regional, mode: observe, drop: 9%, window: 1m}",
            "rules.s.window: can never fire: expected 2m at least",
        ),
        pytest.param(
            "  s: {kind: hit-rate, layer: edge, mode: observe, drop: 9%}",
            "rules.s.layer: can never fire: nobody counts its hits",
        ),
        pytest.param(
            "  s: {kind: drift, layer: edge, mode: observe}",
            "rules.s.layer: can never fire: it has a single node",
        ),
        pytest.param(
            "  s: {kind: drift, layer: regional, mode: observe, window: 2s}",
            "rules.s.window: can never fire: expected more than the limit of 2s",
        ),
        pytest.param(
            "  s: {kind: drift, layer: regionl, mode: observe}",
            "rules.s.layer: no such entry in layers; did you mean regional?",
        ),
        pytest.param(
            "  s: {kind: sequence-gap, mode: observe, node: e1}",
            "rules.s.node: expected a layer beside it",
        ),
        pytest.param(
            "  s: {kind: unreachable, mode: observe, layer: edg}",
            "rules.s.layer: no such entry in layers; did you mean edge?",
        ),
        pytest.param(
            "  s: {kind: measurement-lost, mode: observe, coverage: 0%}",
            "rules.s.coverage: expected a share above 0%",
        ),
        pytest.param(
            "  s: {kind: watchdog}", "rules.s: expected channels to notify, or mode: observe"
        ),
        pytest.param(
            "  s: {kind: watchdog, mode: observe, layer: edge}", "rules.s.layer: unknown key"
        ),
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


def test_sequences_need_somebody_to_receive_words(tmp_path: Path) -> None:
    text = GOOD + "rules:\n  s: {kind: sequence-gap, mode: observe}\n"
    _refused(tmp_path, text, "rules.s: can never fire: no receipt comes in")


@pytest.mark.parametrize(
    "rule",
    [LAG, "  lag: {kind: silent, mode: observe", "  lag: {kind: sequence-gap, mode: observe"],
)
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


def test_every_kind_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text(encoding="utf-8")
    assert [kind for kind in RULE_KINDS if f"| `{kind}` |" not in page] == []


def test_every_reason_of_a_transition_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text(encoding="utf-8")
    reasons = [Why.BEGAN, Why.HELD, Why.BRIEF, Why.RECOVERED, Why.GONE, Why.FADED]
    assert [why for why in reasons if f"| {why} |" not in page] == []
