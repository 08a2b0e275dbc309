"""`python -m lab --dir D --seed N [--faults on|off] [--region eu,us] [--listen HOST:PORT]
[--replicas unread|read] [--shards N]`.
"""

import argparse
import sys
from pathlib import Path

from lab.parts import Options
from lab.redis_server import RedisMissingError
from lab.shop import run_shop


def main() -> int:
    """Runs a lab; says on one line of standard output where it is as soon as it is ready."""
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="its config, truth and logs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", choices=("on", "off"), default="on")
    parser.add_argument("--region", default="eu,us", help="regions, separated by commas")
    parser.add_argument("--listen", default="127.0.0.1:8080", help="where the server will listen")
    parser.add_argument(
        "--replicas",
        choices=("unread", "read"),
        default="unread",
        help="whether the server is told to read the origin's replicas",
    )
    parser.add_argument(
        "--shards", type=int, default=0, help="Redis nodes that a ring spreads the keys over"
    )
    arguments = parser.parse_args()
    lab_dir = arguments.dir.resolve()
    lab_dir.mkdir(parents=True, exist_ok=True)
    options = Options(
        lab_dir=lab_dir,
        seed=arguments.seed,
        has_faults=arguments.faults == "on",
        regions=tuple(arguments.region.split(",")),
        listen=arguments.listen,
        reads_replicas=arguments.replicas == "read",
        shards=arguments.shards,
    )
    try:
        run_shop(options)
    except RedisMissingError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
