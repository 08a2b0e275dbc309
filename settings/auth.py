"""Who we say we are to a server that we read."""

from typing import Self

from pydantic import model_validator

from settings.secret import Secret
from settings.section import Section


class Auth(Section):
    """What a connection proves itself with: a user and password, or a bearer token."""

    username: str | None = None
    """The user; some servers need a password alone."""
    password: Secret | None = None
    """The password, `{env: NAME}` or `{file: PATH}`."""
    token: Secret | None = None
    """A bearer token, `{env: NAME}` or `{file: PATH}`, instead of user and password."""

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        if self.token is None and self.password is None:
            raise ValueError("expected a password or a token")
        if self.token is not None and (self.password is not None or self.username is not None):
            raise ValueError("expected a password or a token, not both")
        return self
