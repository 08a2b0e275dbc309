"""Polls as a timeline: overlapping windows, full searches, outages; over a server and a store.

The server answers as Jaeger and Tempo are recorded to, of the spans that a test has put there.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from collectors.otlp.mapping import Mapper, names_of
from collectors.otlp.span import Outcome
from collectors.trace_poll import CATCH_UP_NS, MOST_SEARCHES, Polled, Poller
from collectors.traces import NS, Cut, TraceError, Window
from collectors.traces_jaeger import JaegerOptions, JaegerSource
from collectors.traces_tempo import TempoOptions, TempoSource
from store.base import StoreError
from store.messages import InvalidationRow, ReceiptRow
from store.sqlite import SqliteStore
from tests.collectors.otlp.spans import CONSUMER, PRODUCER, PUBLISHED, RECEIVED, request
from tests.collectors.recorded import (
    JAEGER_TRACES,
    jaeger_span,
    jaeger_traces,
    tempo_search,
    tempo_trace,
)
from tests.collectors.web import Answer, Asked, serving

START_S = 1_800_000_000
LOOKBACK_NS = 300 * NS
MAPPER = Mapper(lambda *_: True, frozenset({"product"}))


@dataclass
class Jaeger:
    """What a back end holds: when each invalidation began, by its number; and how it fares."""

    at_s: dict[int, int] = field(default_factory=dict)
    limit: int = 1000
    is_down: bool = False
    broken_service: str = ""
    windows: list[Window] = field(default_factory=list)
    now_s: int = START_S

    def answer(self, asked: Asked) -> Answer:
        query = {name: value[0] for name, value in parse_qs(urlsplit(asked.path).query).items()}
        if self.is_down or query["service"] == self.broken_service:
            return 503, {}, b""
        start, end = int(query["start"]) // 10**6, (int(query["end"]) + 1) // 10**6
        self.windows.append(Window(start, end))
        inside = [n for n, at in self.at_s.items() if start <= at < end]
        newest = sorted(inside, key=lambda n: -self.at_s[n])[: int(query["limit"])]
        return 200, {}, jaeger_traces(*(jaeger_span(n, self.at_s[n]) for n in newest))


@dataclass
class Site:
    """A poller on a store."""

    jaeger: Jaeger
    poller: Poller
    store: SqliteStore

    async def poll(self, at_s: int = 0) -> Polled:
        """Poll so many seconds after the start."""
        self.jaeger.now_s = START_S + at_s
        polled = Polled()
        await self.poller.poll(polled)
        return polled

    def ids(self) -> list[int]:
        page = self.store.invalidations(0, 2**62, limit=100_000)
        return sorted(int(told.invalidation.id[1:]) for told in page.items)


@contextmanager
def polling(
    limit: int = 1000, services: tuple[str, ...] = ("shop",), sink: Any = None
) -> Iterator[Site]:
    jaeger, store = Jaeger(), SqliteStore()
    with serving(jaeger.answer) as web:
        options = JaegerOptions(url=f"http://127.0.0.1:{web.port}", services=services, limit=limit)
        source = JaegerSource(options, names_of({}))
        poller = Poller(source, MAPPER, sink or store, lambda: jaeger.now_s * NS, LOOKBACK_NS)
        yield Site(jaeger, poller, store)
    store.close()


async def test_windows_overlap_so_that_late_spans_are_found_and_nothing_is_doubled() -> None:
    with polling() as site:
        site.jaeger.at_s = {1: START_S - 10}
        await site.poll()
        assert site.ids() == [1]
        first = site.store.invalidation("m1")
        # A span that the back end learns of four minutes late, and a new one.
        site.jaeger.at_s |= {2: START_S - 200, 3: START_S + 20}
        polled = await site.poll(30)
        assert polled.outcomes == {Outcome.INVALIDATION: 3}
        assert site.ids() == [1, 2, 3]
        assert site.store.invalidation("m1") == first
        assert site.jaeger.windows[-1].from_s == START_S - 300
        assert site.jaeger.windows[-1].until_s > START_S + 30


async def test_a_row_says_when_it_was_read_and_its_number_proves_nothing() -> None:
    rows: list[InvalidationRow | ReceiptRow] = []

    class Kept:
        def write_messages(
            self, invalidations: Sequence[InvalidationRow], receipts: Sequence[ReceiptRow]
        ) -> None:
            rows.extend([*invalidations, *receipts])

    with serving(lambda _: (200, {}, JAEGER_TRACES)) as web:
        options = JaegerOptions(url=f"http://127.0.0.1:{web.port}", services=("shop",))
        source = JaegerSource(options, names_of({}))
        now_ns = (START_S + 77) * NS
        await Poller(source, MAPPER, Kept(), lambda: now_ns, LOOKBACK_NS).poll(Polled())
        await source.close()
    assert [row.received_at_ns for row in rows] == [now_ns] * 3
    assert [row.sequence for row in rows] == [None] * 3


async def test_a_full_search_is_asked_again_in_halves_until_all_is_read() -> None:
    with polling(limit=10) as site:
        site.jaeger.at_s = {n: START_S - 1 - 3 * n for n in range(60)}
        polled = await site.poll()
        assert site.ids() == list(range(60))
        assert not polled.cut
        assert 1 < polled.searches == len(site.jaeger.windows) <= MOST_SEARCHES


async def test_what_one_second_holds_above_the_limit_is_told() -> None:
    with polling(limit=10) as site:
        site.jaeger.at_s = dict.fromkeys(range(15), START_S - 100)
        polled = await site.poll()
        assert polled.cut == {Cut.LIMIT: 1}
        assert len(site.ids()) == 10


async def test_searches_of_a_poll_are_bounded_and_what_they_leave_is_told() -> None:
    with polling(limit=1) as site:
        site.jaeger.at_s = {n: START_S - 1 - n for n in range(290)}
        polled = await site.poll()
        assert polled.searches <= MOST_SEARCHES
        assert polled.cut[Cut.LIMIT] > 0


async def test_after_an_outage_the_time_of_it_is_asked_for() -> None:
    with polling() as site:
        await site.poll()
        site.jaeger.is_down = True
        site.jaeger.at_s = {1: START_S + 100}
        with pytest.raises(TraceError, match="status 503"):
            await site.poll(1200)
        site.jaeger.is_down = False
        polled = await site.poll(1800)
        assert site.ids() == [1]
        assert site.jaeger.windows[-1].from_s == START_S - 300
        assert not polled.cut
        await site.poll(1830)
        assert site.jaeger.windows[-1].from_s == START_S + 1500


async def test_an_outage_that_is_too_long_to_catch_up_with_is_told_once() -> None:
    with polling() as site:
        await site.poll()
        day_s = 86_400
        polled = await site.poll(day_s)
        assert polled.cut == {Cut.OUTAGE: 1}
        assert site.jaeger.windows[-1].from_s == START_S + day_s - 300 - CATCH_UP_NS // NS
        assert not (await site.poll(day_s + 30)).cut


async def test_a_clock_that_is_set_back_asks_for_the_lookback() -> None:
    with polling() as site:
        await site.poll(1000)
        await site.poll(500)
        assert site.jaeger.windows[-1].from_s == START_S + 200


async def test_a_service_that_fails_keeps_nothing_from_the_others() -> None:
    with polling(services=("shop", "edge")) as site:
        site.jaeger.at_s, site.jaeger.broken_service = {1: START_S - 5}, "edge"
        with pytest.raises(TraceError):
            await site.poll()
        assert site.ids() == [1]


async def test_a_store_that_is_down_is_asked_again_for_the_same() -> None:
    kept: list[str] = []

    class Moody:
        is_down = True

        def write_messages(
            self, invalidations: Sequence[InvalidationRow], receipts: Sequence[ReceiptRow]
        ) -> None:
            if self.is_down and (invalidations or receipts):
                raise StoreError("disk full")
            kept.extend(row.id for row in invalidations)

    sink = Moody()
    with polling(sink=sink) as site:
        site.jaeger.at_s = {1: START_S - 5}
        with pytest.raises(StoreError):
            await site.poll()
        sink.is_down = False
        await site.poll(3000)
        assert kept == ["m1"]


async def test_a_row_that_can_never_be_stored_takes_no_other_with_it() -> None:
    kept: list[str] = []

    class Picky:
        def write_messages(
            self, invalidations: Sequence[InvalidationRow], receipts: Sequence[ReceiptRow]
        ) -> None:
            ids = [row.id for row in invalidations]
            if "m3" in ids or receipts:
                raise OverflowError
            kept.extend(ids)

    with polling(sink=Picky()) as site:
        site.jaeger.at_s = dict.fromkeys(range(6), START_S - 5)
        polled = await site.poll()
    assert sorted(kept) == ["m0", "m1", "m2", "m4", "m5"]
    assert polled.cut == {Cut.STORE: 1}


async def test_each_trace_of_tempo_is_read_once_a_poll_and_a_partial_one_told() -> None:
    made = request((PRODUCER, PUBLISHED), (CONSUMER, RECEIVED))

    def answer(asked: Asked) -> Answer:
        if "/search" in asked.path:
            return 200, {}, tempo_search("a1", "b2", "c3")
        return 200, {}, tempo_trace(made, is_partial=asked.path.endswith("b2"))

    store = SqliteStore()
    with serving(answer) as web:
        source = TempoSource(
            TempoOptions(url=f"http://127.0.0.1:{web.port}", limit=3), names_of({})
        )
        polled = Polled()
        await Poller(source, MAPPER, store, lambda: START_S * NS, LOOKBACK_NS).poll(polled)
        await source.close()
    # The search is full in every window there is.
    assert polled.searches > 1
    assert polled.cut[Cut.TRACE] == 1
    assert sum("/traces/" in asked.path for asked in web.asked) == 3
    assert polled.outcomes == {Outcome.INVALIDATION: 3, Outcome.RECEIPT: 3}
    told = store.invalidation("m1")
    assert told is not None
    assert len(told.receipts) == 1
    store.close()
