"""OpenSLO v1 documents as a section `objectives`, and what of them could not be carried.

A document that is broken is an error with its line and column; what is well and cannot be carried
is told, and never dropped in silence.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from stalewatch.config.objectives import ObjectiveSettings
from stalewatch.config.problem import ConfigError, Problem
from stalewatch.slo.openslo import OWN, PREFIX, STARTS, VERSION, NotCarried

KINDS: Final = frozenset(
    {
        "DataSource",
        "Service",
        "SLI",
        "SLO",
        "AlertPolicy",
        "AlertCondition",
        "AlertNotificationTarget",
    }
)
LARGEST_BYTES: Final = 4 * 2**20
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_WEEK: Final = re.compile(r"(\d+)w")
_CALENDARS: Final = {length: calendar for calendar, (length, _) in STARTS.items()}


@dataclass(frozen=True, slots=True)
class Imported:
    """Objectives by name, as a config writes them, and what was left out."""

    objectives: Mapping[str, Mapping[str, Any]]
    left: Sequence[NotCarried]


def read(file: Path) -> Imported:
    """Read a file of documents. Raises ConfigError for what is no OpenSLO v1."""
    documents = list(_documents(file))
    objectives: dict[str, Mapping[str, Any]] = {}
    left: list[NotCarried] = []
    for document in documents:
        if document["kind"] == "SLO":
            name, settings, lost = _objective(file, document)
            left += lost
            if settings is not None:
                if name in objectives:
                    raise _error(file, document, "metadata", f"there are two SLOs called {name}")
                objectives[name] = settings
    left += _others(documents)
    return Imported(objectives, left)


def _documents(file: Path) -> Iterator[CommentedMap]:
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise ConfigError(file, [Problem(1, 1, "", "expected a file of at most 4 MiB")])
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigError(file, [Problem(1, 1, "", f"cannot be read: {why}")]) from None
    try:
        documents = list(YAML(typ="rt").load_all(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise ConfigError(file, [Problem(line, column, "", f"not YAML: {error.problem}")]) from None
    except YAMLError as error:
        raise ConfigError(file, [Problem(1, 1, "", f"not YAML: {error}")]) from None
    for document in documents:
        if document is not None:
            yield _checked(file, document)


def _checked(file: Path, document: Any) -> CommentedMap:
    """A document with its version, a kind that there is, a name and a spec."""
    if not isinstance(document, CommentedMap):
        raise ConfigError(file, [Problem(1, 1, "", "expected a mapping with apiVersion and kind")])
    if document.get("apiVersion") != VERSION:
        raise _error(file, document, "apiVersion", f"expected {VERSION}")
    if document.get("kind") not in KINDS:
        raise _error(file, document, "kind", f"expected one of {', '.join(sorted(KINDS))}")
    metadata = document.get("metadata")
    if not isinstance(metadata, Mapping) or not isinstance(metadata.get("name"), str):
        raise _error(file, document, "metadata", "expected a mapping with a name")
    if not isinstance(document.get("spec"), Mapping):
        raise _error(file, document, "spec", "expected a mapping")
    return document


def _objective(
    file: Path, document: CommentedMap
) -> tuple[str, Mapping[str, Any] | None, list[NotCarried]]:
    """One SLO; None in place of settings where it is of events that Stalewatch cannot count."""
    spec, metadata = document["spec"], document["metadata"]
    annotations = metadata.get("annotations") or {}
    name = str(annotations.get(f"{PREFIX}name") or metadata["name"])
    if f"{PREFIX}settings" not in annotations:
        why = "its indicator is of another's metrics; Stalewatch counts reads and messages itself"
        return name, None, [NotCarried(f"SLO {name}", "all of it", why)]
    if not _NAME.fullmatch(name):
        raise _error(file, document, "metadata", f"expected a name of letters and digits: {name!r}")
    settings = {**_own(file, document, annotations[f"{PREFIX}settings"])}
    settings |= _promised(file, document)
    if spec.get("description"):
        settings["description"] = str(spec["description"])
    try:
        ObjectiveSettings.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        said = str(first["msg"]).removeprefix("Value error, ")
        path = ".".join(map(str, first["loc"]))
        raise _error(file, document, "spec", f"{path or name}: {said}") from None
    return name, settings, list(_lost(name, spec))


def _own(file: Path, document: CommentedMap, text: Any) -> dict[str, Any]:
    try:
        read = json.loads(text)
    except (TypeError, ValueError):
        read = None
    if not isinstance(read, dict) or not read.keys() <= set(OWN):
        wanted = f"{PREFIX}settings: expected JSON of {', '.join(OWN)}"
        raise _error(file, document, "metadata", wanted)
    return read


def _promised(file: Path, document: CommentedMap) -> dict[str, Any]:
    """Target, window and budgeting, which OpenSLO has words for."""
    spec = document["spec"]
    targets, windows = spec.get("objectives"), spec.get("timeWindow")
    if not isinstance(targets, list) or len(targets) != 1 or not isinstance(targets[0], Mapping):
        raise _error(file, document, "spec", "objectives: expected one")
    if not isinstance(windows, list) or len(windows) != 1 or not isinstance(windows[0], Mapping):
        raise _error(file, document, "spec", "timeWindow: expected one")
    target = targets[0]
    settings: dict[str, Any] = {"target": _share(file, document, target)}
    settings |= _window(windows[0])
    method = spec.get("budgetingMethod")
    if method == "Timeslices":
        goal = target.get("timeSliceTarget")
        if not isinstance(goal, int | float):
            raise _error(file, document, "spec", "objectives: expected a timeSliceTarget")
        settings["budgeting"] = {"timeslices": _percent(goal)}
    elif method == "RatioTimeslices":
        settings["budgeting"] = "ratio-timeslices"
    elif method != "Occurrences":
        known = "Occurrences, Timeslices or RatioTimeslices"
        raise _error(file, document, "spec", f"budgetingMethod: expected {known}")
    if method != "Occurrences" and target.get("timeSliceWindow"):
        settings["slice"] = _length(str(target["timeSliceWindow"]))
    return settings


def _share(file: Path, document: CommentedMap, target: Mapping[str, Any]) -> str:
    share, percent = target.get("target"), target.get("targetPercent")
    if isinstance(share, int | float) and percent is None:
        return _percent(share)
    if isinstance(percent, int | float) and share is None:
        return f"{percent:.12g}%"
    raise _error(file, document, "spec", "objectives: expected target or targetPercent")


def _window(window: Mapping[str, Any]) -> dict[str, Any]:
    length = str(window.get("duration", ""))
    if window.get("isRolling"):
        return {"window": _length(length)}
    zone = str((window.get("calendar") or {}).get("timeZone", "UTC"))
    named = _CALENDARS.get(length)
    settings: dict[str, Any] = {"window": length if named is None else named.value}
    return settings if zone == "UTC" else {**settings, "time_zone": zone}


def _length(text: str) -> str:
    """A length as our config writes it, which has no weeks."""
    weeks = _WEEK.fullmatch(text)
    return f"{7 * int(weeks[1])}d" if weeks else text


def _percent(share: float) -> str:
    return f"{100 * share:.12g}%"


def _lost(name: str, spec: Mapping[str, Any]) -> Iterator[NotCarried]:
    """What of an SLO is not read: settings of ours stand in for policies that were changed."""
    policies = spec.get("alertPolicies") or []
    inline = [each for each in policies if isinstance(each, Mapping) and "spec" in each]
    if inline:
        why = "its `alerting` is read from the annotation"
        yield NotCarried(f"SLO {name}", f"{len(inline)} alert policies in it", why)
    if "indicator" in spec:
        why = "the annotation says what is counted"
        yield NotCarried(f"SLO {name}", "the indicator in it", why)


def _others(documents: Sequence[Mapping[str, Any]]) -> Iterator[NotCarried]:
    """Documents beside the SLOs: by kind, since each says the same."""
    whys = {
        "DataSource": "Stalewatch reads caches and origins, and no such source",
        "Service": "owners stand at keyspaces",
        "SLI": "what is counted is said by the annotation of its SLO",
        "AlertPolicy": "windows are read from the annotation of its SLO",
        "AlertCondition": "windows are read from the annotation of its SLO",
        "AlertNotificationTarget": "channels stand in the config, with their secrets",
    }
    for document in documents:
        why = whys.get(document["kind"])
        if why is not None:
            about = f"{document['kind']} {document['metadata']['name']}"
            yield NotCarried(about, "all of it", why)


def _error(file: Path, document: CommentedMap, key: str, text: str) -> ConfigError:
    line, column = document.lc.key(key) if key in document else (document.lc.line, document.lc.col)
    return ConfigError(file, [Problem(line + 1, column + 1, key, text)])
