"""The SQLite engine: every protocol of a store, a part each."""

from store.sqlite.alert_store import AlertStore
from store.sqlite.catalogue_store import CatalogueStore
from store.sqlite.count_store import CountStore
from store.sqlite.fact_store import FactStore
from store.sqlite.message_store import MessageStore
from store.sqlite.report_store import ReportStore


class SqliteStore(FactStore, CountStore, MessageStore, CatalogueStore, AlertStore, ReportStore):
    """A store in one file, or in memory under the path `:memory:`; implements `store.base.Store`.

    See `Engine` for how it is opened, and from where it may be called.
    """
