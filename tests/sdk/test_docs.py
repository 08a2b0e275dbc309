"""The examples of docs/sdk.md do what the page says."""

import re
import subprocess
import sys
from pathlib import Path

from tests.servers import RedisServer

PAGE = Path(__file__).parents[2] / "docs" / "sdk.md"


def test_the_example_prints_what_the_page_says(redis_server: RedisServer) -> None:
    page = PAGE.read_text(encoding="utf-8")
    example = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    promised = re.search(r"It prints `(.*?)`", page)
    assert example is not None
    assert promised is not None
    code = example[1].replace("localhost:6379", f"127.0.0.1:{redis_server.port}")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == promised[1]


def test_a_worker_registers_under_the_name_that_the_page_says(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8").partition("### Many workers behind one port")[2]
    example = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    promised = re.search(r"It prints `(.*?)`", page)
    assert example is not None
    assert promised is not None
    code = example[1].replace("/run/shop/workers", str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == promised[1]
