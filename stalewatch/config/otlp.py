"""The sections of the receiver of traces: where it listens, and what spans are called."""

from typing import Literal, Self

from pydantic import Field, SerializeAsAny, model_validator

from settings import Address, Secret, Section, ServerTls, Size
from stalewatch.config.polls import PollSettings

Mapped = Literal[
    "cache.invalidation.id", "cache.invalidation.scope", "cache.invalidation.outcome",
    "cache.keyspace", "cache.key", "cache.version", "cache.written_at", "cache.publisher.id",
    "cache.publisher.sequence", "cache.layer", "cache.node", "messaging.destination.name",
]  # fmt: skip
"""As `collectors.otlp.mapping.MAPPED`, which a test holds it to."""


class Otlp(Section):
    """The receiver of traces, OTLP/HTTP at `/v1/traces` on a port of its own."""

    listen: Address = Address("127.0.0.1", 4318)
    """Where to listen; anything but loopback needs `token`, or `client_ca` in `tls`."""
    token: Secret | None = None
    """The bearer token that a client must show."""
    tls: ServerTls | None = None
    """Its certificate; with `client_ca` each client must show one, too."""
    max_request: Size = Size(8 * 2**20)
    """The largest request, packed or unpacked; 64MiB at most."""

    @model_validator(mode="after")
    def _is_guarded(self) -> Self:
        has_client_ca = self.tls is not None and self.tls.client_ca is not None
        if self.token is None and not has_client_ca and not self.listen.is_loopback:
            raise ValueError(
                f"expected token or tls.client_ca, because {self.listen} can be reached from other"
                " machines; or listen on 127.0.0.1"
            )
        if self.max_request.bytes > 64 * 2**20:
            raise ValueError("expected max_request of at most 64MiB")
        return self


class Traces(Section):
    """How spans of invalidations and receipts are told."""

    mapping: dict[Mapped, str] = Field(default_factory=dict)
    """What your own spans call the attributes of docs/otlp.md: `cache.keyspace: shop.entity`."""
    poll: dict[str, SerializeAsAny[PollSettings]] = Field(default_factory=dict)
    """Tracing back ends that are asked for such spans, by name."""

    @model_validator(mode="after")
    def _says_each_once(self) -> Self:
        theirs = list(self.mapping.values())
        if "" in theirs or len(set(theirs)) < len(theirs):
            raise ValueError("expected a name for each, and no name twice")
        return self
