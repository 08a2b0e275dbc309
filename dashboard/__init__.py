"""The web UI: Dash on the FastAPI server, reading through the store alone."""

from dashboard.application import mount

__all__ = ["mount"]
