"""How the server says what it does: a line an event, to standard error."""

import logging
import sys

import structlog


def set_up_logs(*, as_json: bool = False, is_quiet: bool = False) -> None:
    """Render events for people on a terminal, or as JSON for a log collector."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    level = logging.ERROR if is_quiet else logging.INFO
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if as_json else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # Libraries speak only when something is wrong.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")
    # The runtime tells itself what becomes of a job.
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
