"""The config file: what may stand in it, and every mistake with its line and column."""

from stalewatch.config.load import load
from stalewatch.config.model import Config
from stalewatch.config.problem import ConfigError, Problem

__all__ = ["Config", "ConfigError", "Problem", "load"]
