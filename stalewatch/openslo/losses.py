"""What of an objective OpenSLO v1, or a rule file of Prometheus, has no words for."""

from collections.abc import Iterator
from typing import Final

from freshness.objective import Calendar, Measure, Occurrences
from settings import Duration
from stalewatch.config.objectives import ObjectiveSettings
from stalewatch.openslo.carried import NotCarried
from stalewatch.openslo.names import (
    MOST_TEXT,
    duration_text,
    is_exact,
    number_of,
    share_of,
    slug,
)

_ANNOTATED: Final = "kept as an annotation, which only Stalewatch reads"


def losses_of(name: str, asked: ObjectiveSettings) -> Iterator[NotCarried]:
    """Of its OpenSLO documents."""
    what = f"objective {name}"
    for option, why in _losses(name, asked):
        yield NotCarried(what, option, why)


def rule_losses(name: str) -> Iterator[NotCarried]:
    """Of its rules in a Prometheus."""
    what = f"objective {name}"
    why = "what fires while nothing is measured resolves where Prometheus is down for five minutes"
    yield NotCarried(what, "coverage", why)
    why = "told on its share alone, however few events were bad"
    yield NotCarried(what, "alerting.spent", why)
    why = "recorded windows count late evidence when it comes; alerts are by windows of Stalewatch"
    yield NotCarried(what, "window", why)


def _losses(name: str, asked: ObjectiveSettings) -> Iterator[tuple[str, str]]:
    if slug(name) != name:
        yield "name", f"called {slug(name)}: no DNS label; {_ANNOTATED}"
    if asked.runbook:
        yield "runbook", f"no field for it; {_ANNOTATED}"
    if len(asked.description) > MOST_TEXT:
        yield "description", f"cut to {MOST_TEXT} characters; the whole is {_ANNOTATED}"
    if share_of(number_of(asked.target, 100), 100) != asked.target:
        yield "target", f"more digits than a number holds; {_ANNOTATED}"
    yield from _lost_lengths(asked)
    yield from _lost_alerting(asked)
    yield (
        "coverage",
        "no data is frozen here, neither firing nor resolved; alertWhenNoData can say neither",
    )


def _lost_lengths(asked: ObjectiveSettings) -> Iterator[tuple[str, str]]:
    if asked.max_staleness is not None:
        yield (
            "max_staleness",
            f"not in the queries, which count what was judged by it; {_ANNOTATED}",
        )
    if asked.indicator is not Measure.READS:
        yield "indicator", f"not in the queries, which ask for what it counted; {_ANNOTATED}"
    if isinstance(asked.window, Duration) and not is_exact(asked.window):
        rounded = duration_text(asked.window)
        yield "window", f"{asked.window} is {rounded}: durations have no seconds; {_ANNOTATED}"
    if isinstance(asked.window, Calendar) and isinstance(asked.budgeting, Occurrences):
        yield "window", "how many events a period will have is not known before it ends"
    if asked.slice is not None and isinstance(asked.budgeting, Occurrences):
        yield "slice", f"the grid of expected data has no field; {_ANNOTATED}"
    elif asked.slice is not None and not is_exact(asked.slice):
        yield "slice", f"{asked.slice} is {duration_text(asked.slice)}; {_ANNOTATED}"


def _lost_alerting(asked: ObjectiveSettings) -> Iterator[tuple[str, str]]:
    alerting = asked.alerting
    yield (
        "alerting.windows",
        f"a condition has one look-back, the long window; the short one is {_ANNOTATED}",
    )
    yield (
        "alerting.least_bad",
        "no floor of samples and no lower confidence bound: others may fire on a few",
    )
    yield "alerting.spent", "a budget that is spent slowly has no kind of condition"
    for at, each in enumerate(alerting.windows or ()):
        if not is_exact(each.long):
            rounded = duration_text(each.long)
            yield f"alerting.windows[{at}].long", f"{each.long} is {rounded}; {_ANNOTATED}"
    if alerting.correlation is not None:
        yield "alerting.correlation", f"no field for it; {_ANNOTATED}"
