"""A certificate authority for tests, and the files it issues."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Identity:
    """A certificate chain and its private key, as PEM files."""

    cert: Path
    key: Path


class Authority:
    """A test CA: `ca` is its certificate file, `server` and `client` are identities it signed.

    The files are readable by all, since servers run as another user here; they guard nothing.
    """

    def __init__(self) -> None:
        """Make the CA and both identities in a folder of their own."""
        self._authority = trustme.CA()
        self._keep = tempfile.TemporaryDirectory(prefix="authority-")
        self.folder = Path(self._keep.name)
        self.folder.chmod(0o755)
        self.ca = self.folder / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self.ca))
        self.ca.chmod(0o644)
        self.server = self.issue("localhost", "127.0.0.1", "::1")
        self.client = self.issue("stalewatch@client.test")

    def issue(self, *names: str) -> Identity:
        """A fresh identity for host names, addresses or mail addresses."""
        issued = self._authority.issue_cert(*names)
        stem = names[0].replace("*", "any")
        identity = Identity(self.folder / f"{stem}.crt", self.folder / f"{stem}.key")
        chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
        for path, content in (
            (identity.cert, chain),
            (identity.key, issued.private_key_pem.bytes()),
        ):
            path.write_bytes(content)
            path.chmod(0o644)
        return identity

    def close(self) -> None:
        """Remove the files."""
        self._keep.cleanup()
