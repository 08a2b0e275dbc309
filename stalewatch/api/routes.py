"""The routes under `/api/v1/`. The store is read in threads: the loop goes on serving pages."""

import asyncio
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.convertors import StringConvertor, register_url_convertor

from reports.desk import Desk
from stalewatch.api.alerts import alerts_of, notification_item, transition_item
from stalewatch.api.asked import (
    CatalogueHistoryAsked,
    CountersAsked,
    FindingsAsked,
    FreshnessAsked,
    HistoryAsked,
    InvalidationsAsked,
    KeysAsked,
    LagAsked,
    NothingAsked,
    NotificationsAsked,
    ReportAsked,
    ReportsAsked,
    SweepsAsked,
    TransitionsAsked,
    WindowAsked,
    named_in_path,
)
from stalewatch.api.catalogue import catalogue_of, change_item, config_drift_of
from stalewatch.api.counters import counters_of
from stalewatch.api.coverage import coverage_of
from stalewatch.api.drift import drift_of
from stalewatch.api.freshness import freshness_of
from stalewatch.api.history import history_of
from stalewatch.api.items import Item, finding_item, json_answer, listing, node_item, times
from stalewatch.api.objectives import objective_item, objective_page
from stalewatch.api.problem import MissingError, ParameterError
from stalewatch.api.propagation import invalidations_of, lag_of, spread_item
from stalewatch.api.reports import report_answer, report_item
from stalewatch.api.silences import (
    ENDED_SHOWN_NS,
    SentAck,
    SentSilence,
    SilencesAsked,
    acknowledge,
    make_silence,
    require_json,
    silence_item,
)
from stalewatch.api.sweeps import sweep_item
from store.base import FindingRow, Store
from store.catalogue_history import Entry
from store.objectives import Objectives
from store.propagation import read_spread
from store.silences import SilenceRow


class _Anything(StringConvertor):
    """The rest of a path, line ends included: Starlette's own `path` stops at one."""

    regex = r"[\s\S]*"


register_url_convertor("anything", _Anything())

LISTS = (
    "nodes",
    "catalogue",
    "catalogue/history",
    "config-drift",
    "findings",
    "keys",
    "freshness",
    "coverage",
    "drift",
    "invalidations",
    "lag",
    "sweeps",
    "counters",
    "objectives",
    "reports",
    "alerts",
    "alerts/transitions",
    "alerts/notifications",
    "silences",
)


def make_router(
    store: Store,
    now_ns: Callable[[], int],
    objectives: Objectives | None = None,
    desk: Desk | None = None,
) -> APIRouter:
    """Every route; `now_ns` is the wall clock in Unix nanoseconds."""
    router = APIRouter()
    _add_nodes(router, store)
    _add_catalogue(router, store, now_ns)
    _add_findings(router, store)
    _add_keys(router, store, now_ns)
    _add_figures(router, store, now_ns)
    _add_propagation(router, store, now_ns)
    _add_sweeps(router, store)
    _add_objectives(router, objectives or Objectives(store), now_ns)
    _add_reports(router, store, desk or Desk(store), now_ns)
    _add_alerts(router, store, now_ns)
    _add_silences(router, store, now_ns)
    return router


def _add_nodes(router: APIRouter, store: Store) -> None:
    @router.get("/")
    async def index(asked: Annotated[NothingAsked, Query()]) -> Response:  # noqa: ARG001
        return listing({"name": name} for name in LISTS)

    @router.get("/nodes")
    async def nodes(asked: Annotated[NothingAsked, Query()]) -> Response:  # noqa: ARG001
        rows = await asyncio.to_thread(store.nodes)
        return listing(map(node_item, rows))


def _add_catalogue(router: APIRouter, store: Store, now_ns: Callable[[], int]) -> None:
    @router.get("/catalogue")
    async def catalogue(asked: Annotated[NothingAsked, Query()]) -> Response:  # noqa: ARG001
        return listing(await asyncio.to_thread(catalogue_of, store))

    @router.get("/catalogue/history")
    async def changes(asked: Annotated[CatalogueHistoryAsked, Query()]) -> Response:
        if (asked.section is None) != (asked.name is None):
            missing = "section" if asked.section is None else "name"
            raise ParameterError(missing, "is needed beside the other one of section and name")
        entry = Entry(asked.section, asked.name) if asked.section and asked.name else None
        rows = await asyncio.to_thread(store.catalogue_history, entry, asked.limit)
        return listing(map(change_item, rows))

    @router.get("/config-drift")
    async def drift(asked: Annotated[WindowAsked, Query()]) -> Response:
        return listing(await asyncio.to_thread(config_drift_of, store, asked, now_ns()))


def _add_findings(router: APIRouter, store: Store) -> None:
    @router.get("/findings")
    async def findings(asked: Annotated[FindingsAsked, Query()]) -> Response:
        page = await asyncio.to_thread(
            store.findings,
            asked.open,
            asked.keyspace,
            asked.key,
            asked.since,
            asked.limit,
            asked.cursor,
            layer=asked.layer,
            node=asked.node,
        )
        return listing(map(finding_item, page.items), page.next)

    @router.get("/findings/{id}")
    async def finding(id: str, asked: Annotated[NothingAsked, Query()]) -> Response:  # noqa: ARG001
        return json_answer(finding_item(await _finding(store, id)))

    @router.get("/findings/{id}/evidence")
    async def evidence(id: str, asked: Annotated[NothingAsked, Query()]) -> Response:  # noqa: ARG001
        lines = (await _finding(store, id)).evidence.rstrip("\n")
        headers = {"cache-control": "no-store"}
        return PlainTextResponse(f"{lines}\n" if lines else "", headers=headers)


async def _finding(store: Store, id: str) -> FindingRow:
    row = await asyncio.to_thread(store.finding, id)
    if row is None:
        raise MissingError(f"no finding {id!r}: /api/v1/findings lists those that are kept")
    return row


def _add_keys(router: APIRouter, store: Store, now_ns: Callable[[], int]) -> None:
    @router.get("/keys")
    async def keys(asked: Annotated[KeysAsked, Query()]) -> Response:
        # One more than asked for tells whether there are more; a longer prefix shows them.
        found = await asyncio.to_thread(store.keys, asked.keyspace, asked.prefix, asked.limit + 1)
        items = [{"keyspace": asked.keyspace, "key": key} for key in found[: asked.limit]]
        return listing(items, has_more=len(found) > asked.limit)

    @router.get("/keys/{named:anything}")
    async def history(request: Request, asked: Annotated[HistoryAsked, Query()]) -> Response:
        keyspace, in_path = named_in_path(request)
        key = in_path if asked.key is None else asked.key
        if key is None:
            raise ParameterError("key", "is needed, in the path or in the query")
        return json_answer(
            await asyncio.to_thread(history_of, store, keyspace, key, asked, now_ns())
        )


def _add_figures(router: APIRouter, store: Store, now_ns: Callable[[], int]) -> None:
    @router.get("/freshness")
    async def freshness(asked: Annotated[FreshnessAsked, Query()]) -> Response:
        cells, items = await asyncio.to_thread(freshness_of, store, asked, now_ns())
        return listing(items, window=times(since=cells.since_ns, until=cells.until_ns), by=asked.by)

    @router.get("/coverage")
    async def coverage(asked: Annotated[WindowAsked, Query()]) -> Response:
        return json_answer(await asyncio.to_thread(coverage_of, store, asked, now_ns()))

    @router.get("/drift")
    async def drift(asked: Annotated[WindowAsked, Query()]) -> Response:
        return json_answer(await asyncio.to_thread(drift_of, store, asked, now_ns()))

    @router.get("/counters")
    async def counters(asked: Annotated[CountersAsked, Query()]) -> Response:
        return json_answer(await asyncio.to_thread(counters_of, store, asked, now_ns()))


def _add_propagation(router: APIRouter, store: Store, now_ns: Callable[[], int]) -> None:
    @router.get("/invalidations")
    async def invalidations(asked: Annotated[InvalidationsAsked, Query()]) -> Response:
        page = await asyncio.to_thread(invalidations_of, store, asked, now_ns())
        return listing(page.items, page.next)

    @router.get("/invalidations/{id:anything}")
    async def invalidation(id: str, asked: Annotated[NothingAsked, Query()]) -> Response:  # noqa: ARG001
        spread = await asyncio.to_thread(read_spread, store, id, now_ns())
        if spread is None:
            raise MissingError(f"no invalidation {id!r}: /api/v1/invalidations lists what is kept")
        return json_answer(spread_item(spread))

    @router.get("/lag")
    async def lag(asked: Annotated[LagAsked, Query()]) -> Response:
        return json_answer(await asyncio.to_thread(lag_of, store, asked, now_ns()))


def _add_sweeps(router: APIRouter, store: Store) -> None:
    @router.get("/sweeps")
    async def sweeps(asked: Annotated[SweepsAsked, Query()]) -> Response:
        rows = await asyncio.to_thread(store.sweeps, asked.open, asked.limit)
        return listing(map(sweep_item, rows))

    @router.get("/sweeps/{id}")
    async def sweep(id: str, asked: Annotated[NothingAsked, Query()]) -> Response:  # noqa: ARG001
        row = await asyncio.to_thread(store.sweep, id)
        if row is None:
            raise MissingError(f"no sweep {id!r}: /api/v1/sweeps lists those that are kept")
        return json_answer(sweep_item(row))


def _add_objectives(router: APIRouter, objectives: Objectives, now_ns: Callable[[], int]) -> None:
    @router.get("/objectives")
    async def standings(asked: Annotated[NothingAsked, Query()]) -> Response:  # noqa: ARG001
        found = await asyncio.to_thread(objectives.statuses, now_ns())
        return listing(map(objective_item, found))

    @router.get("/objectives/{name}")
    async def standing(name: str, asked: Annotated[NothingAsked, Query()]) -> Response:  # noqa: ARG001
        return json_answer(await asyncio.to_thread(_objective, objectives, name, now_ns()))


def _objective(objectives: Objectives, name: str, now_ns: int) -> Item:
    found = objectives.status(name, now_ns)
    if found is None:
        raise MissingError(f"no objective {name!r}: /api/v1/objectives lists those declared")
    blame = objectives.attribution(name, now_ns)
    return objective_page(found, blame, objectives.history(name, now_ns))


def _add_reports(router: APIRouter, store: Store, desk: Desk, now_ns: Callable[[], int]) -> None:
    @router.get("/reports")
    async def reports(asked: Annotated[ReportsAsked, Query()]) -> Response:
        rows = await asyncio.to_thread(store.reports, asked.report, asked.limit)
        return listing(map(report_item, rows))

    @router.get("/reports/{name}/{week}")
    async def report(name: str, week: str, asked: Annotated[ReportAsked, Query()]) -> Response:
        return await asyncio.to_thread(
            report_answer, store, desk, name, week, asked.format, now_ns()
        )


def _add_alerts(router: APIRouter, store: Store, now_ns: Callable[[], int]) -> None:
    @router.get("/alerts")
    async def alerts(asked: Annotated[NothingAsked, Query()]) -> Response:  # noqa: ARG001
        return listing(await asyncio.to_thread(alerts_of, store, now_ns()))

    @router.get("/alerts/transitions")
    async def transitions(asked: Annotated[TransitionsAsked, Query()]) -> Response:
        rows = await asyncio.to_thread(store.transitions, asked.alert, asked.limit)
        return listing(map(transition_item, rows))

    @router.get("/alerts/notifications")
    async def notifications(asked: Annotated[NotificationsAsked, Query()]) -> Response:
        rows = await asyncio.to_thread(store.notifications, asked.alert, asked.state, asked.limit)
        return listing(map(notification_item, rows))


def _add_silences(router: APIRouter, store: Store, now_ns: Callable[[], int]) -> None:
    async def answer(row: SilenceRow, status: int = 200) -> Response:
        alerts = await asyncio.to_thread(store.alerts)
        item = json_answer(silence_item(row, alerts, now_ns()))
        item.status_code = status
        return item

    @router.get("/silences")
    async def silences(asked: Annotated[SilencesAsked, Query()]) -> Response:
        now = now_ns()
        after = now - ENDED_SHOWN_NS if asked.ending_after is None else asked.ending_after
        rows = await asyncio.to_thread(store.silences, after)
        alerts = await asyncio.to_thread(store.alerts)
        return listing(silence_item(row, alerts, now) for row in rows)

    @router.post("/silences", dependencies=[Depends(require_json)])
    async def add(request: Request, sent: SentSilence) -> Response:
        row = make_silence(sent, request, now_ns())
        await asyncio.to_thread(store.write_silence, row)
        return await answer(row, 201)

    @router.delete("/silences/{id}")
    async def end(id: str) -> Response:
        row = await asyncio.to_thread(store.end_silence, id, now_ns())
        if row is None:
            raise MissingError(f"no silence {id!r}: /api/v1/silences lists those that there are")
        return await answer(row)

    @router.post("/alerts/{id}/ack", dependencies=[Depends(require_json)])
    async def ack(request: Request, id: str, sent: SentAck) -> Response:
        return json_answer(await asyncio.to_thread(acknowledge, store, id, sent, request, now_ns()))
