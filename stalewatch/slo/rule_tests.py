"""Unit tests for the generated rules, as `promtool test rules` runs them.

Of each objective: every pair of windows fires by itself, stays silent where one of its two windows
is below, and where too few events were bad; what fires is held while there are no data, and ends
with the burn; and what is not measured is told.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from freshness.burn import Severity, WindowPair
from stalewatch.slo.recordings import EVENTS, EVENTS_BAD, burn_name, windows_of
from stalewatch.slo.rules import (
    BAD,
    BURNS,
    EVERY,
    FLOOR,
    HAS_DATA,
    LEFT,
    RATE,
    SPENT,
    UNMEASURED,
    WATERMARK,
    annotations_of,
    burn_words,
    labels_of,
    pairs_of,
    spent_words,
    stale_after_s,
    unmeasured_words,
)
from store.objective_spec import Spec

MINUTES: Final = 40
LONGEST_S: Final = 6 * 3_600
Series = dict[str, str]
Test = dict[str, Any]


def rule_tests(specs: Sequence[Spec], rule_file: str) -> dict[str, Any]:
    """The test file for a rule file of this name, which lies beside it."""
    longest_m = max((_stuck_m(spec) for spec in specs), default=MINUTES)
    tests = [
        _among(test, [other for other in specs if other is not spec], longest_m)
        for spec in specs
        for test in tests_of(spec)
    ]
    return {"rule_files": [rule_file], "evaluation_interval": EVERY, "tests": tests}


def tests_of(spec: Spec) -> Iterator[Test]:
    """Everything that its rules are to do."""
    for severity in Severity:
        for pair in pairs_of(spec, severity):
            yield from _pair_tests(spec, pair)
    limit = float(1 - spec.rules.spent_limit)
    spent, left = (_measured(spec) | _left(spec, share) for share in (limit, 1.0))
    yield _test(spec, "its budget is spent", spent, {SPENT: (5, True)})
    yield _test(spec, "its budget is left", left, {SPENT: (5, False)})
    yield _test(spec, "it is told as no data", _data(spec, "0"), {UNMEASURED: (20, True)})
    yield _test(spec, "nothing is told of it", {}, {UNMEASURED: (20, True)})
    yield _test(spec, "it is measured", _measured(spec), {UNMEASURED: (20, False)})
    yield _test(spec, "it stands still", _standing(spec), {UNMEASURED: (_stuck_m(spec), True)})
    yield from _recorded(spec)


def _among(test: Test, others: Sequence[Spec], minutes: int) -> Test:
    """Beside the others of the file, which are measured for so long and stand well."""
    series = [{"series": _name_of(HAS_DATA, other), "values": f"1x{minutes}"} for other in others]
    return {**test, "input_series": [*test["input_series"], *series]}


def _pair_tests(spec: Spec, pair: WindowPair) -> Iterator[Test]:
    name = f"{pair.long_s} s and {pair.short_s} s, {pair.severity.value}"
    above, below = 2 * float(pair.threshold), float(pair.threshold) / 2
    enough, few = spec.rules.low_volume.least_bad, spec.rules.low_volume.least_bad - 1
    others = _rates(spec, pair, "0")

    def burning(long: float, short: float, bad: int, floor: float) -> Series:
        own = _own(spec, pair, f"{long:g}", f"{short:g}", f"{bad}", f"{floor:g}")
        return _data(spec, "1") | {each: _always(value) for each, value in (others | own).items()}

    fires, silent = {BURNS: (5, True)}, {BURNS: (5, False)}
    at = pair.severity
    yield _test(spec, f"{name}: both burn", burning(above, above, enough, above), fires, at)
    if pair.long_s != pair.short_s:
        yield _test(
            spec, f"{name}: it burns no more", burning(above, below, enough, above), silent, at
        )
        yield _test(spec, f"{name}: a blip", burning(below, above, enough, above), silent, at)
    yield _test(spec, f"{name}: few are bad", burning(above, above, few, above), silent, at)
    if pair.severity is Severity.PAGE:
        yield _test(spec, f"{name}: not surely", burning(above, above, enough, below), silent, at)
    yield _held(spec, pair, name)


def _held(spec: Spec, pair: WindowPair, name: str) -> Test:
    """It burns for ten minutes, nothing is known for ten, then it burns no more."""
    high, low = f"{2 * float(pair.threshold):g}", "0"
    own = _own(spec, pair, high, high, f"{spec.rules.low_volume.least_bad}", high)
    series = _data(spec, "1") | {
        each: f"{value}x9 _x10 {low}x20" for each, value in (_rates(spec, pair, "0") | own).items()
    }
    test = _test(spec, f"{name}: held without data", series, {BURNS: (5, True)}, pair.severity)
    for minute, fires in ((18, True), (25, False)):
        test["alert_rule_test"] += _expected(spec, {BURNS: (minute, fires)}, pair.severity)
    return test


def _test(
    spec: Spec,
    name: str,
    series: Mapping[str, str],
    expected: Mapping[str, tuple[int, bool]],
    severity: Severity = Severity.TICKET,
) -> Test:
    return {
        "name": f"{spec.name}: {name}",
        "interval": EVERY,
        "input_series": [{"series": each, "values": values} for each, values in series.items()],
        "alert_rule_test": _expected(spec, expected, severity),
    }


def _expected(
    spec: Spec, expected: Mapping[str, tuple[int, bool]], severity: Severity
) -> list[dict[str, Any]]:
    words = {
        BURNS: lambda: burn_words(spec, severity),
        SPENT: lambda: spent_words(spec),
        UNMEASURED: lambda: unmeasured_words(spec),
    }
    return [
        {
            "eval_time": f"{minute}m",
            "alertname": name,
            "exp_alerts": [
                {
                    "exp_labels": labels_of(spec, severity.value),
                    "exp_annotations": annotations_of(spec, words[name]()),
                }
            ]
            * fires,
        }
        for name, (minute, fires) in expected.items()
    ]


def _own(spec: Spec, pair: WindowPair, long: str, short: str, bad: str, floor: str) -> Series:
    """The figures of one pair; of a window that both ends share, the long one's."""
    told = {
        _name(RATE, spec, pair.short_s): short,
        _name(RATE, spec, pair.long_s): long,
        _name(BAD, spec, pair.long_s): bad,
    }
    is_page = pair.severity is Severity.PAGE
    return told | ({_name(FLOOR, spec, pair.long_s): floor} if is_page else {})


def _rates(spec: Spec, pair: WindowPair, value: str) -> Series:
    """The rates of all windows of the severity, so that nothing is no data."""
    pairs = pairs_of(spec, pair.severity)
    windows = {length for each in pairs for length in (each.long_s, each.short_s)}
    return {_name(RATE, spec, window): value for window in sorted(windows)}


def _measured(spec: Spec) -> Series:
    return _data(spec, "1")


def _data(spec: Spec, value: str) -> Series:
    return {f'{HAS_DATA}{{objective="{spec.name}"}}': _always(value)}


def _standing(spec: Spec) -> Series:
    """Measured up to the beginning, and never after it."""
    still = _name_of(WATERMARK, spec), f"0x{_stuck_m(spec)}"
    return {_name_of(HAS_DATA, spec): f"1x{_stuck_m(spec)}", still[0]: still[1]}


def _stuck_m(spec: Spec) -> int:
    return -(-stale_after_s(spec) // 60) + MINUTES


def _recorded(spec: Spec) -> Iterator[Test]:
    """In the shortest window a tenth of the events is bad; without data there is no figure.

    A shortest window of days is not played: promtool would evaluate every minute of it.
    """
    for length_s in [each for each in windows_of(spec)[:1] if each <= LONGEST_S]:
        minutes = length_s // 60
        told = {
            _name_of(EVENTS, spec): f"0+10x{2 * minutes}",
            _name_of(EVENTS_BAD, spec): f"0+1x{2 * minutes}",
            _name(RATE, spec, length_s): f"_x{minutes + 1} 1x{minutes}",
        }
        burn = f"round({burn_name(length_s)} * {float(spec.objective.error_budget)!r}, 0.001)"
        expected = [{"labels": f'{{objective="{spec.name}"}}', "value": 0.1}]
        checks = [
            {"expr": burn, "eval_time": f"{at}m", "exp_samples": found}
            for at, found in ((minutes, []), (2 * minutes, expected))
        ]
        test = _test(spec, "what is recorded", _measured(spec) | told, {})
        yield {**test, "promql_expr_test": checks}


def _name_of(metric: str, spec: Spec) -> str:
    return f'{metric}{{objective="{spec.name}"}}'


def _left(spec: Spec, share: float) -> Series:
    return {f'{LEFT}{{objective="{spec.name}"}}': _always(f"{share:.10g}")}


def _name(metric: str, spec: Spec, window_s: int) -> str:
    return f'{metric}{{objective="{spec.name}", window="{window_s}"}}'


def _always(value: str) -> str:
    return f"{value}x{MINUTES}"
