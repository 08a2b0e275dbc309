"""Makes the reference in docs/config.md: `python -m stalewatch.config.reference docs/config.md`."""

import ast
import inspect
import sys
import textwrap
from collections.abc import Mapping
from datetime import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from alerts.heartbeat import HeartbeatSettings
from alerts.kinds import KINDS as CHANNELS
from collectors.kinds import CACHES, ORIGINS
from collectors.taps.kinds import TAPS
from collectors.trace_kinds import TRACE_SOURCES
from settings import Section
from stalewatch.config.canaries import CanarySettings
from stalewatch.config.channels import ChannelSettings
from stalewatch.config.counters import PrometheusSettings
from stalewatch.config.model import Keyspace, Layer, Origin, Server, StoreSettings
from stalewatch.config.objectives import ObjectiveSettings
from stalewatch.config.otlp import Traces
from stalewatch.config.polls import PollSettings
from stalewatch.config.reports import ReportSettings
from stalewatch.config.rules import RULE_KINDS, RuleSettings
from stalewatch.config.taps import TapSettings
from stalewatch.config.wording import models_in

MARK = "<!-- Below here: made by `python -m stalewatch.config.reference docs/config.md`. -->"


def reference() -> str:
    """A table of keys for each mapping that a config file may hold; each model once."""
    page = _Page()
    page.add("server", Server)
    page.add("store", StoreSettings)
    page.add("traces", Traces)
    page.add("origins.O", Origin)
    page.add_kinds("origins.O", {name: kind.options for name, kind in ORIGINS.items()})
    page.add("layers.L", Layer)
    page.add_kinds("layers.L", {name: kind.options for name, kind in CACHES.items()})
    page.add("keyspaces.K", Keyspace)
    page.add_kinds("keyspaces.K.origin", {name: kind.binding for name, kind in ORIGINS.items()})
    page.add_kinds("keyspaces.K.layers.L", {name: kind.binding for name, kind in CACHES.items()})
    page.add("prometheus.P", PrometheusSettings)
    page.add("taps.T", TapSettings)
    page.add_kinds("taps.T", {name: kind.options for name, kind in TAPS.items()})
    page.add("channels.C", ChannelSettings)
    page.add_kinds("channels.C", {name: kind.options for name, kind in CHANNELS.items()})
    page.add("heartbeat", HeartbeatSettings)
    page.add("objectives.O", ObjectiveSettings)
    page.add("reports.R", ReportSettings)
    page.add("rules.R", RuleSettings)
    page.add_kinds("rules.R", RULE_KINDS)
    page.add("traces.poll.P", PollSettings)
    page.add_kinds("traces.poll.P", {name: kind.options for name, kind in TRACE_SOURCES.items()})
    page.add("canaries.N", CanarySettings)
    return "\n".join(page.lines)


class _Page:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self._titles: dict[type[BaseModel], str] = {}

    def add_kinds(self, path: str, models: Mapping[str, type[BaseModel]]) -> None:
        for name, model in models.items():
            self.add(path, model, f" of kind `{name}`")

    def add(self, path: str, model: type[BaseModel], of: str = "") -> None:
        """The table of a model, then those of the models in it that have none yet."""
        self._titles[model] = f"`{path}`{of}"
        fields = {f.alias or name: f for name, f in model.model_fields.items() if name != "binding"}
        self.lines += [f"### `{path}`{of}\n\n{model.__doc__ or ''}\n"]
        self.lines += ["| key | where left out | what it is |\n|---|---|---|"]
        said = {
            model.model_fields[name].alias or name: t for name, t in descriptions(model).items()
        }
        self.lines += [self._row(key, field, said[key]) for key, field in fields.items()] + [""]
        for key, field in fields.items():
            for inner in self._new_models(field):
                self.add(f"{path}.{key}", inner, of)

    def _row(self, key: str, field: FieldInfo, said: str) -> str:
        known = [self._titles[each] for each in models_in(field.annotation) if each in self._titles]
        see = f" As {known[0]}." if known else ""
        said = " ".join(said.replace("|", "\\|").split())
        return f"| `{key}` | {_default(field)} | {said}{see} |"

    def _new_models(self, field: FieldInfo) -> list[type[BaseModel]]:
        return [
            each
            for each in models_in(field.annotation)
            if each not in self._titles and each is not Section
        ]


def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """What each field is: the string below it, in the class that declares it last.

    Read from the source when asked for. Pydantic does so for every model as it is imported, and
    takes a quarter of a second of each command for it.
    """
    said = dict.fromkeys(model.model_fields, "")
    for declared in reversed(model.__mro__):
        if issubclass(declared, Section):
            [found] = ast.parse(textwrap.dedent(inspect.getsource(declared))).body
            for field, below in pairwise(getattr(found, "body", ())):
                match field, below:
                    case (
                        ast.AnnAssign(target=ast.Name(id=name)),
                        ast.Expr(value=ast.Constant(value=str(text))),
                    ):
                        said[name] = inspect.cleandoc(text)
    return said


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is None or default in ((), {}, "") or isinstance(default, BaseModel):
        return ""
    return f"`{_written(default)}`"


def _written(default: Any) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return "[" + ", ".join(map(str, default)) + "]"
    if isinstance(default, time):
        return f'"{default:%H:%M}"'
    return str(default)


def main(file: Path) -> None:
    """Write the reference into the page, below the mark."""
    head = file.read_text(encoding="utf-8").partition(MARK)[0]
    file.write_text(f"{head}{MARK}\n\n{reference()}", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
