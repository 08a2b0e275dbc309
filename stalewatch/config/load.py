"""Reads a config file whole, or says everything that is wrong with it."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from collectors.kinds import KindError, load_kinds
from stalewatch.config.bindings import bind, problems_of
from stalewatch.config.canary_checks import canary_faults
from stalewatch.config.channel_checks import channel_faults
from stalewatch.config.counters import counter_faults
from stalewatch.config.document import Document
from stalewatch.config.kinds import Kinds, file_model
from stalewatch.config.layer_checks import layer_faults
from stalewatch.config.model import Config
from stalewatch.config.objective_checks import objective_faults
from stalewatch.config.problem import ConfigError, Problem
from stalewatch.config.report_checks import report_faults
from stalewatch.config.rule_checks import rule_faults
from stalewatch.config.sources import absent
from stalewatch.config.taps import tap_faults


def load(path: Path, *, with_sources: bool = True) -> Config:
    """Read a config file. Raises ConfigError with every mistake and its place.

    Paths in it are relative to the file. Without `with_sources` the secrets, certificates and key
    files that it names need not be there: for a look at the file alone.
    """
    document = Document.read(path)
    kinds = _kinds(document)
    context = {"base": path.absolute().parent}
    bound = bind(document, kinds, context)
    config, problems = _validate({"store": {}, **bound.data}, kinds, document, context)
    problems = bound.problems + problems
    if config is not None:
        faults = (
            *layer_faults(config),
            *rule_faults(config),
            *counter_faults(config),
            *tap_faults(config),
            *channel_faults(config),
            *canary_faults(config),
            *objective_faults(config),
            *report_faults(config),
        )
        problems += [document.problem(loc, why) for loc, why in faults]
    if config is not None and not problems and with_sources:
        problems = [document.problem(loc, why) for loc, why in absent(config)]
    if config is None or problems:
        raise ConfigError(path, problems)
    return config


def _kinds(document: Document) -> Kinds:
    try:
        return Kinds(*load_kinds())
    except KindError as error:
        raise ConfigError(document.file, [Problem(1, 1, "", str(error))]) from None


def _validate(
    data: dict[str, Any], kinds: Kinds, document: Document, context: dict[str, Any]
) -> tuple[Config | None, list[Problem]]:
    model = file_model(kinds)
    try:
        return model.model_validate(data, context=context), []
    except ValidationError as error:
        return None, list(problems_of(error, model, document))
