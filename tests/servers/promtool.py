"""promtool, which comes with Prometheus."""

import subprocess
from pathlib import Path

from tests.servers.installed import installed


def promtool(*arguments: str | Path) -> str:
    """Run it; what it prints. An AssertionError with that where it finds something wrong."""
    done = subprocess.run(
        [installed("promtool"), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said
