"""From views to raw-dict figures: pure, without a clock, a store or a browser."""

from typing import Any

Figure = dict[str, Any]
