"""What every engine does with documents and with times to live. Engines are in `conftest.py`."""

from freshness.ttl_sample import TtlCell, TtlKey
from store.base import Batch, Store
from store.catalogue_history import CatalogueRow, Document, Entry
from store.retention import Retention
from tests.store.conftest import OpenStore
from tests.store.rows import S

EDGE, PRODUCT = Entry("layer", "edge"), Entry("keyspace", "product")
KEY = TtlKey(1_200, "product", "edge", "e1")


def edge(limit: int) -> Document:
    return {"max_staleness_ns": limit, "accepts_ns": {"normal": limit}, "fills_from": ["a"]}


def cell(*ttls_s: float) -> TtlCell:
    made = TtlCell()
    for at, ttl_s in enumerate(ttls_s):
        made.add(f"k{at}", ttl_s, 1_200 * S + at)
    return made


def test_only_what_changed_is_written(store: Store) -> None:
    first = store.write_catalogue({EDGE: edge(1), PRODUCT: {"owner": "a"}}, 10)
    assert [row.entry for row in first] == [EDGE, PRODUCT]
    revision = store.revision()
    assert store.write_catalogue({PRODUCT: {"owner": "a"}, EDGE: edge(1)}, 20) == []
    assert store.revision() == revision
    changed = store.write_catalogue({EDGE: edge(2), PRODUCT: {"owner": "a"}}, 30)
    assert changed == [CatalogueRow(EDGE, 30, edge(2), edge(1))]
    assert [change.path for change in changed[0].changes] == [
        "accepts_ns.normal",
        "max_staleness_ns",
    ]
    assert store.catalogue() == [
        CatalogueRow(EDGE, 30, edge(2)),
        CatalogueRow(PRODUCT, 10, {"owner": "a"}),
    ]


def test_what_is_documented_no_more_is_a_change_and_may_come_back(store: Store) -> None:
    store.write_catalogue({EDGE: edge(1)}, 10)
    assert store.write_catalogue({}, 20) == [CatalogueRow(EDGE, 20, None, edge(1))]
    assert store.catalogue() == []
    assert store.write_catalogue({}, 30) == []
    store.write_catalogue({EDGE: edge(1)}, 40)
    assert store.catalogue_history() == [
        CatalogueRow(EDGE, 40, edge(1), None),
        CatalogueRow(EDGE, 20, None, edge(1)),
        CatalogueRow(EDGE, 10, edge(1), None),
    ]
    assert store.catalogue_history(PRODUCT) == []
    assert [row.at_ns for row in store.catalogue_history(EDGE, limit=1)] == [40]


def test_an_empty_store_documents_nothing(store: Store) -> None:
    assert store.catalogue() == []
    assert store.catalogue_history() == []
    assert store.ttl_samples(0, 2**62) == []


def test_times_to_live_add_up(store: Store) -> None:
    other = KEY._replace(start_s=1_800)
    store.write(Batch(ttls={KEY: cell(5.0), other: cell(float("inf"))}))
    store.write(Batch(ttls={KEY: cell(7.5, 1.0)}))
    assert store.ttl_samples(0, 1_801 * S) == [
        (KEY, cell(5.0) + cell(7.5, 1.0)),
        (other, cell(float("inf"))),
    ]
    assert store.ttl_samples(0, 1_800 * S) == [(KEY, cell(5.0) + cell(7.5, 1.0))]


def test_old_times_to_live_are_dropped_and_documents_stay(open_store: OpenStore) -> None:
    store = open_store(Retention(minutes_s=600))
    store.write_catalogue({EDGE: edge(1)}, 10)
    young = KEY._replace(start_s=9_000)
    store.write(Batch(ttls={KEY: cell(5.0), young: cell(6.0)}))
    store.retain(9_300 * S)
    assert [key for key, _ in store.ttl_samples(0, 2**62)] == [young]
    assert len(store.catalogue()) == 1
