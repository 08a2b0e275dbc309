"""Which real servers this machine has, and their versions."""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

# Where Debian keeps servers that an unprivileged user's PATH leaves out.
SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")

# Each server's binary and the arguments that make it print its version.
SERVERS = {
    "redis-server": ["--version"],
    "postgres": ["--version"],
    "memcached": ["-V"],
    "varnishd": ["-V"],
    "nginx": ["-v"],
    "nats-server": ["--version"],
    "prometheus": ["--version"],
    "prometheus-alertmanager": ["--version"],
    "chromium": ["--version"],
}

MISSING = "needs the server "


def is_ci() -> bool:
    """Whether a missing server is a failure, not a reason to skip."""
    return os.environ.get("CI") == "true"


@cache
def find(binary: str) -> Path | None:
    """The path of a server's binary, None where it is not installed."""
    folders = [os.environ.get("PATH", os.defpath), *SYSTEM_FOLDERS, *map(str, _postgres_folders())]
    found = shutil.which(binary, path=os.pathsep.join(folders))
    return Path(found) if found else None


def _postgres_folders() -> list[Path]:
    """Debian's folders of PostgreSQL binaries, the newest version first."""
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    return sorted(folders, key=lambda folder: float(folder.parent.name), reverse=True)


def installed(binary: str) -> Path:
    """The path of a server's binary; without one the test fails under CI and skips elsewhere."""
    return find(binary) or _miss(binary)


def _miss(binary: str) -> NoReturn:
    reason = f"{MISSING}{binary}; scripts/install-test-servers.sh installs it on Debian"
    if is_ci():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def version(binary: str) -> str:
    """The version that a server prints of itself, or `missing`."""
    path = find(binary)
    if path is None:
        return "missing"
    done = subprocess.run(
        [path, *SERVERS[binary]], capture_output=True, text=True, timeout=20, check=False
    )
    number = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    return number[0] if number else "of unknown version"
