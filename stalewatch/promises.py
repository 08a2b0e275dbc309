"""What `check` says of promises that documented lifetimes do not keep."""

from freshness.promise import Kept, Promise
from settings import Duration


def say_promise(promise: Promise) -> str:
    """A sentence; empty where the promise is kept, or rests on messages."""
    head = f"layers.{promise.layer}.max_staleness is {Duration(promise.max_staleness_ns)}, end to"
    named = " + ".join(
        f"{part.layer} {'?' if part.ns is None else Duration(part.ns)}" for part in promise.parts
    )
    if promise.kept is Kept.EXCEEDED:
        known = Duration(sum(part.ns or 0 for part in promise.parts))
        return f"{head} end, and lifetimes add up to {known} or more: {named}"
    if promise.kept is Kept.UNDOCUMENTED:
        unsaid = [part.layer for part in promise.parts if part.ns is None]
        where = ", ".join(f"layers.{name}.documented_ttl" for name in unsaid)
        return f"{head} end, and nothing says whether lifetimes keep it: {where} is missing"
    return ""
