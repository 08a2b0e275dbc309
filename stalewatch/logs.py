"""How the server says what it does: a line an event, to standard error."""

import logging
import sys

import structlog


def set_up_logs(*, as_json: bool = False, is_quiet: bool = False) -> None:
    """Render events for people on a terminal, or as JSON for a log collector."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    level = logging.WARNING if is_quiet else logging.INFO
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # Libraries speak only when something is wrong.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")
    for noisy in ("apscheduler", "httpx2", "httpcore2"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
