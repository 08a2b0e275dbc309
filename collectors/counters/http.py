"""What our reads of HTTP caches add to their counters. They have none that HTTP could ask for."""

from typing import Any

from collectors.counters.own import Weigh
from collectors.http import HttpOptions


def weigh(options: HttpOptions, binding: Any) -> Weigh:  # noqa: ARG001  alike for all bindings
    """A key is one request; an answer that says it is a hit is one.

    What misses may have been passed, and what says nothing may have been either. Where we send
    `only-if-cached`, an answer that says nothing is not told from a hit.
    """
    return Weigh(1, 1, "nothing" if options.request.only_cached else "hits")
