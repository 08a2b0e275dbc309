"""The kinds of rules: a file each."""

from alerts.rules.base import Mode, Rule
from alerts.rules.propagation_lag import PropagationLag
from alerts.rules.silent import Silent
from alerts.rules.staleness import Staleness

__all__ = ["Mode", "PropagationLag", "Rule", "Silent", "Staleness"]
