"""The edge layer: an HTTP cache over the application servers of its region."""

import itertools
from collections.abc import Sequence
from email.utils import formatdate
from http import HTTPStatus

import httpx2
import orjson

from lab.catalogue import TTL_S, NodeAddress, Product, product_from
from lab.http_service import Reply, Request
from lab.layers.app import AT_LEAST
from lab.layers.node import CacheNode, Fetch, NotSoldError, Served, UnreachableError

MAX_AGE_S = TTL_S["edge"]


def fetch_from(apps: Sequence[NodeAddress], http: httpx2.AsyncClient) -> Fetch:
    """Of one application server and then another, until one has a version that is new enough."""
    turns = itertools.cycle(range(len(apps)))

    async def ask(app: NodeAddress, key: str, at_least: int) -> Product | None:
        try:
            response = await http.get(
                f"http://{app.target}/products/{key}", headers={AT_LEAST: str(at_least)}
            )
        except httpx2.HTTPError:
            return None
        if response.status_code == HTTPStatus.NOT_FOUND:
            raise NotSoldError
        is_ok = response.status_code == HTTPStatus.OK
        return product_from(orjson.loads(response.content)) if is_ok else None

    async def fetch(key: str, at_least: int) -> Product:
        turn = next(turns)
        newest: Product | None = None
        for app in (*apps[turn:], *apps[:turn]):
            product = await ask(app, key, at_least)
            if product is None:
                continue
            if product.version >= at_least:
                return product
            newest = product if newest is None or product.version > newest.version else newest
        if newest is None:
            raise UnreachableError
        return newest

    return fetch


class EdgeServer:
    """Answers `GET /products/{id}` and `PURGE /products/{id}` for one node."""

    def __init__(self, node: CacheNode) -> None:
        self._node = node

    async def answer(self, request: Request) -> Reply:
        """Any request."""
        await self._node.present.wait()
        collection, _, key = request.path.removeprefix("/").partition("/")
        if collection != "products" or not key:
            return Reply(HTTPStatus.NOT_FOUND)
        match request.method:
            case "GET" | "HEAD":
                return await self._serve(key, request.headers.get("cache-control", ""))
            case "PURGE":
                held = self._node.copies.find(key)
                if held is not None:
                    self._node.copies.drop_older(key, held.product.version + 1)
                return Reply(HTTPStatus.OK)
        return Reply(HTTPStatus.METHOD_NOT_ALLOWED)

    async def _serve(self, key: str, cache_control: str) -> Reply:
        if "only-if-cached" in cache_control:
            # Asked by a probe, mostly: found or not, it counts as no read of the shop's.
            copy = self._node.copies.find(key)
            if copy is None:
                headers = self._miss_headers("detail=only-if-cached")
                return Reply(HTTPStatus.GATEWAY_TIMEOUT, headers=headers)
            return self._found(Served(copy.product, copy, is_hit=True))
        try:
            return self._found(await self._node.read(key))
        except NotSoldError:
            return Reply(HTTPStatus.NOT_FOUND, headers=self._miss_headers("fwd=miss"))
        except UnreachableError:
            return Reply(HTTPStatus.SERVICE_UNAVAILABLE, headers=self._miss_headers("fwd=miss"))

    def _found(self, served: Served) -> Reply:
        product, copy, now_ns = served.product, served.copy, self._node.copies.told_ns()
        lifetime_s = MAX_AGE_S if copy is None else copy.lifetime_s
        if served.is_hit and copy is not None:
            ttl_s = copy.ttl_s(now_ns)
            headers = self._headers("HIT", "hit" if ttl_s is None else f"hit; ttl={round(ttl_s)}")
        else:
            headers = self._miss_headers("fwd=miss" + ("; stored" if copy is not None else ""))
        headers |= {
            "x-version": str(product.version),
            "etag": f'"v{product.version}"',
            "age": str(0 if copy is None else int(copy.age_s(now_ns))),
        }
        if lifetime_s is not None:
            headers["cache-control"] = f"max-age={round(lifetime_s)}"
        return Reply(HTTPStatus.OK, product.encode(), headers)

    def _miss_headers(self, detail: str) -> dict[str, str]:
        return self._headers("MISS", detail)

    def _headers(self, x_cache: str, detail: str) -> dict[str, str]:
        name = self._node.address.name
        return {
            "x-cache": x_cache,
            "x-served-by": name,
            "cache-status": f"{name}; {detail}",  # RFC 9211
            "date": formatdate(self._node.copies.told_ns() / 1e9, usegmt=True),
        }
