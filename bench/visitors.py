"""Visitors of the web UI: each keeps a page open over its websocket and goes on loading others.

    python -m bench.visitors ADDRESS [--clients 20] [--rate 2]

Runs until standard input ends, then prints what it did. It speaks what a browser speaks, without
one: twenty browsers would measure themselves.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import sys
import time
from collections import Counter
from typing import Any

import httpx2
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

PAGES = ("/", "/key/product/1", "/key/product/2")
PATHS = (
    "",
    "api/v1/findings",
    "api/v1/freshness",
    "_dash-layout",
    "api/v1/nodes",
    "key/product/1",
    "api/v1/coverage",
    "api/v1/keys/product/1",
    "metrics",
)


async def main() -> None:
    """Visit until nobody wants it any more."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--rate", type=float, default=2.0, help="requests a second and client")
    args = parser.parse_args()
    done: Counter[str] = Counter()
    async with httpx2.AsyncClient(base_url=args.address, timeout=30) as client:
        push = await _name_of_push(client)
        tasks = [
            asyncio.create_task(work)
            for number in range(args.clients)
            for work in (
                _load(client, number, args.rate, done),
                _watch(args.address, push, PAGES[number % len(PAGES)], done),
            )
        ]
        await asyncio.to_thread(sys.stdin.read)
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if ended is not None and not isinstance(ended, asyncio.CancelledError):
                done[f"lost: {ended!r}"] += 1
    print(json.dumps(done))


async def _name_of_push(client: httpx2.AsyncClient) -> str:
    callbacks = (await client.get("_dash-dependencies")).json()
    return str(next(each["output"] for each in callbacks if each["persistent"]))


async def _load(client: httpx2.AsyncClient, number: int, rate: float, done: Counter[str]) -> None:
    pause_s = 1 / rate
    await asyncio.sleep(pause_s * (number % 7) / 7)
    for at in itertools.count(number):
        began = time.monotonic()
        answer = await client.get(PATHS[at % len(PATHS)])
        slowest = round(1000 * (time.monotonic() - began))
        done["slowest answer in ms"] = max(done["slowest answer in ms"], slowest)
        done["requests" if answer.is_success else f"status {answer.status_code}"] += 1
        await asyncio.sleep(pause_s)


async def _watch(address: str, push: str, page: str, done: Counter[str]) -> None:
    place = address.removeprefix("http://").rstrip("/")
    uri = f"ws://{place}/_dash-ws-callback"
    async with connect(uri, origin=Origin(f"http://{place}"), max_size=None) as socket:
        done["pages held open"] += 1
        await socket.send(_request(push))
        with contextlib.suppress(ConnectionClosed):
            async for text in socket:
                said = json.loads(text)
                for message in said if isinstance(said, list) else [said]:
                    await _answer(socket, message, page, done)


def _request(push: str) -> str:
    payload: dict[str, Any] = {"output": push, "outputs": [], "inputs": [], "state": []}
    payload["changedPropIds"] = []
    asked = {"type": "callback_request", "rendererId": "1", "requestId": "1", "payload": payload}
    return json.dumps(asked)


async def _answer(socket: ClientConnection, message: Any, page: str, done: Counter[str]) -> None:
    """Say which page is open, when asked; count what is pushed."""
    if message.get("type") == "get_props_request":
        view = {"path": page, "search": "", "theme": "light", "paused": False}
        answer = {
            "type": "get_props_response",
            "requestId": message["requestId"],
            "payload": {"data": view},
        }
        await socket.send(json.dumps(answer))
    elif message.get("type") == "set_props":
        done["updates pushed"] += 1
    else:
        done[f"message {message.get('type')}"] += 1


if __name__ == "__main__":
    asyncio.run(main())
