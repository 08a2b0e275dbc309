"""Objectives as JSON: every figure as a number, exact fractions rounded to doubles."""

from collections.abc import Callable, Hashable, Sequence
from fractions import Fraction
from typing import TypeVar

from freshness.attribution import Amount, Attribution
from freshness.budget import Sli
from freshness.budget_coverage import Coverage
from freshness.burn import Burn, Decision
from freshness.counts import Counts
from freshness.objective import Calendar, Occurrences, RatioTimeslices, Timeslices
from freshness.series import Place
from freshness.status import BudgetStatus
from freshness.window import Window
from stalewatch.api.items import NS_PER_S, Item, time_text
from store.objective_blame import Blame, KeyName
from store.objective_history import Bucket
from store.objective_spec import Spec
from store.objectives import Standing

Name = TypeVar("Name", bound=Hashable)
CONFIDENCE = 0.95


def objective_item(standing: Standing) -> Item:
    """One objective as it stands; where its window is no data, its figures are null."""
    return {**_promise(standing.spec), "status": _status(standing)}


def objective_page(standing: Standing, blame: Blame | None, history: Sequence[Bucket]) -> Item:
    """The same with who spent its budget, and when."""
    return {
        **objective_item(standing),
        "attribution": None if blame is None else _blame(blame),
        "history": [_bucket(bucket) for bucket in history],
    }


def _promise(spec: Spec) -> Item:
    return {
        "name": spec.name,
        "description": spec.description,
        "runbook": spec.runbook or None,
        "owner": spec.owner or None,
        "indicator": spec.measure.value,
        "placement": {name: sorted(layers) for name, layers in spec.placement.items()},
        "region": spec.region,
        "max_staleness_ns": spec.max_staleness_ns,
        "target": float(spec.objective.target),
        "error_budget": float(spec.objective.error_budget),
        "window": _length(spec),
        "budgeting": _budgeting(spec),
        "slice_s": spec.objective.slice_s,
        "cautions": [each.value for each in spec.objective.cautions],
    }


def _length(spec: Spec) -> Item:
    window = spec.objective.window
    if isinstance(window, Calendar):
        return {"calendar": window.value, "time_zone": spec.time_zone}
    return {"rolling_s": window.length_s}


def _budgeting(spec: Spec) -> Item:
    budgeting = spec.objective.budgeting
    match budgeting:
        case Timeslices():
            return {"method": "Timeslices", "goal": float(budgeting.goal)}
        case RatioTimeslices():
            return {"method": "RatioTimeslices"}
        case Occurrences():
            return {"method": "Occurrences"}


def _status(standing: Standing) -> Item | None:
    """Null before it was looked at for the first time."""
    status = standing.status
    if status is None:
        return None
    return {
        "gap": None if status.gap is None else status.gap.value,
        "watermark": _instant(standing.at.watermark_s),
        "window": _window(status.window),
        "is_whole": status.is_whole,
        "counts": _counts(status.counts),
        "coverage": _coverage(status.coverage),
        "sli": None if status.sli is None else _sli(status.sli),
        "spent": _number(status.spent),
        "remaining": _number(status.remaining),
        "supported_nines": status.nines,
        "spends": {
            name: {
                "window": _window(each.window),
                "spent": _number(each.spent),
                "gap": None if each.gap is None else each.gap.value,
            }
            for name, each in status.spends.items()
        },
        "burns": [_decision(each) for each in status.burns],
        "dropped_windows": [str(each) for each in status.fitted.dropped],
        "slow_failure": status.slow_failure.value,
        "forecast": _forecast(status),
    }


def _forecast(status: BudgetStatus) -> Item:
    at_s = status.forecast.at_s
    return {
        "outlook": status.forecast.outlook.value,
        "at": None if at_s is None else _instant(at_s),
    }


def _sli(sli: Sli) -> Item:
    return {
        "good": float(sli.good),
        "at_least": float(sli.at_least),
        "at_most": float(sli.at_most),
        "interval": list(sli.sampling),
        "confidence": CONFIDENCE,
        "n_effective": sli.n_effective,
    }


def _decision(decision: Decision) -> Item:
    return {
        "severity": decision.pair.severity.value,
        "threshold": float(decision.pair.threshold),
        "reason": decision.why.value,
        "is_firing": decision.is_firing,
        "is_frozen": decision.is_frozen,
        "floor": decision.floor,
        "long": _burn(decision.long),
        "short": _burn(decision.short),
    }


def _burn(burn: Burn) -> Item:
    return {
        "window": _window(burn.window),
        "rate": _number(burn.rate) if burn.gap is None else None,
        "bad": burn.counts.bad,
        "coverage": _number(burn.coverage.share),
        "gap": None if burn.gap is None else burn.gap.value,
    }


def _bucket(bucket: Bucket) -> Item:
    return {
        "window": _window(bucket.window),
        "good": None if bucket.bad is None else float(1 - bucket.bad),
        "rate": _number(bucket.rate),
        "spent": _number(bucket.spent),
        "coverage": _number(bucket.coverage.share),
        "gap": None if bucket.gap is None else bucket.gap.value,
    }


def _blame(blame: Blame) -> Item:
    def place(name: Place) -> Item:
        return {"keyspace": name.keyspace, "layer": name.layer, "node": name.node}

    def key(name: KeyName) -> Item:
        return {"keyspace": name.keyspace, "key": name.key}

    by_publisher = blame.by_publisher
    return {
        "window": _window(blame.window),
        "node": _parts(blame.by_node, place),
        "layer": _parts(blame.by_layer, lambda name: {"layer": name}),
        "key": _parts(blame.by_key, key),
        "publisher": None
        if by_publisher is None
        else _parts(by_publisher, lambda name: {"publisher": name}),
    }


def _parts(parts: Attribution[Name], named: Callable[[Name], Item]) -> Item:
    return {
        "worst": [{**named(name), **_amount(amount)} for name, amount in parts.worst],
        "others": _amount(parts.others),
        "unattributed": _amount(parts.unattributed),
        "whole": _amount(parts.whole),
    }


def _amount(amount: Amount) -> Item:
    return {
        "bad": float(amount.bad),
        "share": float(amount.share),
        "spent": float(amount.spent),
    }


def _counts(counts: Counts) -> Item:
    return {
        "good": counts.good,
        "bad": counts.bad,
        "indeterminate": counts.indeterminate,
        "unknown": counts.unknown,
        "weights": {
            "good": counts.good_weight,
            "bad": counts.bad_weight,
            "judged": counts.judged_weight,
        },
    }


def _coverage(coverage: Coverage) -> Item:
    return {
        "observed": coverage.observed,
        "expected": coverage.expected,
        "share": _number(coverage.share),
        "short": [
            {"keyspace": each.keyspace, "layer": each.layer, "node": each.node}
            for each in coverage.short
        ],
    }


def _window(window: Window) -> Item:
    return {
        "since": _instant(window.since_s),
        "until": _instant(window.until_s),
        "length_s": window.length_s,
    }


def _instant(at_s: int) -> str:
    return time_text(at_s * NS_PER_S)


def _number(fraction: Fraction | None) -> float | None:
    return None if fraction is None else float(fraction)
