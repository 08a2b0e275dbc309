"""What the pages show, as JSON under `/api/v1/`, read through the store's protocols alone."""

from stalewatch.api.routes import make_router

__all__ = ["make_router"]
