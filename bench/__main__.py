"""Lists the benchmarks; each is a module to be run by itself."""

from importlib import import_module

NAMES = (
    "histories",
    "probe_rate",
    "store_bytes",
    "ui_load",
    "crash",
    "detection",
    "confusion",
    "event_checks",
    "sweep",
    "otlp_rate",
    "outbox_crash",
    "slo",
    "report",
    "rules",
    "tracing",
    "counters",
    "node_load",
)


def main() -> None:
    """Print each command and the first line of what it says of itself."""
    for name in NAMES:
        said = import_module(f"bench.{name}").__doc__ or ""
        print(f"python -m bench.{name:<12} {said.splitlines()[0]}")
    print("\ndocs/benchmarks.md says what each measures and against what; --help, how to ask.")


if __name__ == "__main__":
    main()
