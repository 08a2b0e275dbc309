"""The row of each objective: kept or not, what is left, and who spent it."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Final

from freshness.attribution import Attribution, Name
from freshness.forecast import Outlook
from freshness.objective import Calendar
from freshness.status import Spend
from reports.document import Level, ObjectiveLine, Spender, WorstLine
from reports.measured import BEFORE, WEEK, Measured, day_name
from reports.weeks import DAYS
from store.base import Store
from store.objective_blame import make_bill, read_blame

LOW: Final = Fraction(1, 4)
"""With less of its budget left than this, an objective is at risk."""
SOON_S: Final = 7 * 86_400
"""And so it is where the budget will be gone within this time."""
WORST_EACH: Final = 5
"""Of each kind and objective."""
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"))


def objective_line(one: Measured) -> ObjectiveLine:
    """One row, whether there is anything to tell of it or not."""
    status, sli, spec = one.status, one.sli, one.spec
    spends = status.spends
    week, before = _spent(spends[WEEK]), _spent(spends[BEFORE])
    share = one.coverage.share
    return ObjectiveLine(
        name=spec.name,
        owner=spec.owner,
        description=spec.description,
        indicator=spec.measure.value,
        target=float(spec.objective.target),
        window=window_words(one),
        level=level_of(one),
        week_good=None if sli is None else float(sli.good),
        week_low=None if sli is None else sli.sampling.low,
        week_high=None if sli is None else sli.sampling.high,
        week_gap="" if one.gap is None else one.gap.value,
        good=None if status.sli is None else float(status.sli.good),
        spent=_number(status.spent),
        remaining=_number(status.remaining),
        gap="" if status.gap is None else status.gap.value,
        is_whole=status.is_whole,
        spent_week=_number(week),
        spent_before=_number(before),
        change=None if week is None or before is None else float(week - before),
        days=tuple(_number(_day(spends, number)) for number in range(DAYS)),
        outlook=status.forecast.outlook.value,
        exhausted_at_s=status.forecast.at_s,
        coverage=_number(share),
        supported_nines=status.nines,
    )


def level_of(one: Measured) -> Level:
    """Whether it is kept; where its window is no data, nobody knows."""
    status = one.status
    if status.remaining is None:
        return "no-data"
    if status.remaining < 0:
        return "missed"
    ends_s = status.forecast.at_s
    is_soon = ends_s is not None and ends_s - one.week.until_s <= SOON_S
    is_gone = status.forecast.outlook is Outlook.EXHAUSTED
    return "at-risk" if is_gone or is_soon or status.remaining < LOW else "kept"


def window_words(one: Measured) -> str:
    """Its window as a config writes it: 28d, month."""
    window = one.spec.objective.window
    if isinstance(window, Calendar):
        return window.value
    size_s, unit = next(each for each in _UNITS if window.length_s % each[0] == 0)
    return f"{window.length_s // size_s}{unit}"


def worst_lines(
    store: Store, measured: Sequence[Measured], regions: Mapping[tuple[str, str], str]
) -> list[WorstLine]:
    """Who spent what the week took, of each objective the worst of each kind. Raises StoreError."""
    lines: list[WorstLine] = []
    for one in measured:
        if one.gap is None and one.counts.proven_weight:
            lines += _worst(store, one, regions)
    order = ("node", "layer", "key", "publisher")
    return sorted(lines, key=lambda line: (order.index(line.kind), -line.spent, line.objective))


def _worst(
    store: Store, one: Measured, regions: Mapping[tuple[str, str], str]
) -> Iterator[WorstLine]:
    bill = make_bill(one.budget, one.at, one.week)
    blame = read_blame(store, one.spec, bill, regions)
    name = one.spec.name
    nodes = {place: f"{place.layer}/{place.node}" for place, _ in blame.by_node.worst}
    yield from _lines(name, "node", blame.by_node, nodes)
    yield from _lines(name, "layer", blame.by_layer, {})
    keys = {key: f"{key.keyspace}/{key.key}" for key, _ in blame.by_key.worst}
    yield from _lines(name, "key", blame.by_key, keys)
    if blame.by_publisher is not None:
        yield from _lines(name, "publisher", blame.by_publisher, {})


def _lines(
    objective: str, kind: Spender, parts: Attribution[Name], names: Mapping[Name, str]
) -> Iterator[WorstLine]:
    for name, amount in parts.worst[:WORST_EACH]:
        told = names.get(name, str(name))
        yield WorstLine(objective, kind, told, float(amount.share), float(amount.spent))


def _day(spends: Mapping[str, Spend], number: int) -> Fraction | None:
    day = spends.get(day_name(number))
    return None if day is None else _spent(day)


def _spent(spend: Spend) -> Fraction | None:
    return spend.spent


def _number(share: Fraction | None) -> float | None:
    return None if share is None else float(share)
