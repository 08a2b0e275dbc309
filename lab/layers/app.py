"""The app layer: an application server with an in-process cache over the regional Redis."""

import asyncio
import dataclasses
import uuid
from email.utils import formatdate
from http import HTTPStatus

import httpx2
import orjson

from lab.catalogue import HOST, KEYSPACE, Product, product_from
from lab.http_service import Reply, Request
from lab.layers.node import CacheNode, Fetch, NotSoldError, UnreachableError
from lab.layers.regional import RegionalCache
from stalewatch_sdk import inprocess

AT_LEAST = "x-at-least-version"
REDIS_WITHIN_S = 0.5
"""A Redis that takes longer to answer is passed by: it may be away."""


def fetch_from(regional: RegionalCache, http: httpx2.AsyncClient, origin_port: int) -> Fetch:
    """Cache-aside: of Redis, else (or where that is too old) of the origin, then into Redis."""

    async def fetch(key: str, at_least: int) -> Product:
        is_away, cached = False, None
        try:
            async with asyncio.timeout(REDIS_WITHIN_S):
                cached = await regional.get(key)
        except TimeoutError:
            is_away = True
        if cached is not None and cached.version >= at_least:
            return cached
        try:
            response = await http.get(f"http://{HOST}:{origin_port}/products/{key}")
        except httpx2.HTTPError as error:
            raise UnreachableError from error
        if response.status_code != HTTPStatus.OK:
            raise NotSoldError
        product = product_from(orjson.loads(response.content))
        if not is_away:
            await regional.fill(product)
        return product

    return fetch


class AppServer:
    """Answers `GET /products/{id}` and the in-process cache contract for one node."""

    def __init__(self, node: CacheNode, token: str) -> None:
        self._node = node
        self._worker = inprocess.Worker(
            node.address.name, uuid.uuid4().hex, {KEYSPACE: node.copies}, token
        )

    async def answer(self, request: Request) -> Reply:
        """Any request."""
        await self._node.present.wait()
        reply = await self._answer(request)
        date = formatdate(self._node.copies.told_ns() / 1e9, usegmt=True)
        return dataclasses.replace(reply, headers={**reply.headers, "date": date})

    async def _answer(self, request: Request) -> Reply:
        authorization = request.headers.get("authorization")
        match request.method, request.path:
            case "POST", inprocess.READ_PATH:
                return _reply(inprocess.answer_read(self._worker, authorization, request.body))
            case "GET", inprocess.INFO_PATH:
                return _reply(inprocess.answer_info(self._worker, authorization))
            case "GET", path if path.startswith("/products/"):
                return await self._sell(path.removeprefix("/products/"), request)
        return Reply(HTTPStatus.NOT_FOUND)

    async def _sell(self, key: str, request: Request) -> Reply:
        at_least = request.headers.get(AT_LEAST, "0")
        try:
            served = await self._node.read(key, int(at_least) if at_least.isdecimal() else 0)
        except NotSoldError:
            return Reply(HTTPStatus.NOT_FOUND)
        except UnreachableError:
            return Reply(HTTPStatus.SERVICE_UNAVAILABLE)
        product = served.product
        return Reply(HTTPStatus.OK, product.encode(), {"x-version": str(product.version)})


def _reply(answer: inprocess.Answer) -> Reply:
    return Reply(answer.status, answer.body, content_type=answer.content_type)
