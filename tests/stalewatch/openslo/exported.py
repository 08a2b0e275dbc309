"""A config whose objectives go out and come back."""

from pathlib import Path

from stalewatch.config import Config, load
from stalewatch.openslo.documents import Documents, read_documents
from stalewatch.openslo.export import export
from stalewatch.yaml_text import yaml_text
from tests.stalewatch.config.configs import GOOD, written

CONFIG = GOOD.replace("  product:\n    origin", "  product:\n    owner: team-catalogue\n    origin")
FILE = Path("slo.yaml")


def config_with(folder: Path, objectives: str, base: str = CONFIG) -> Config:
    """The good config with these objectives, a line each."""
    lines = "".join(f"  {line.strip()}\n" for line in objectives.strip().splitlines())
    return load(written(folder, f"{base}objectives:\n{lines}"))


def as_text(config: Config) -> str:
    """Its documents."""
    return yaml_text(export(config, "http://prometheus.test:9090").documents)


def there_and(config: Config) -> Documents:
    """Its documents as read from their text, each valid by the rules of OpenSLO v1."""
    return read_documents(FILE, as_text(config))
