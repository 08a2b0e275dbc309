"""The kinds of rules: a file each."""

from alerts.rules.base import Mode, Rule
from alerts.rules.burn_rate import BurnRate
from alerts.rules.config_drift import ConfigDrift
from alerts.rules.drift import Drift
from alerts.rules.hit_rate import HitRate
from alerts.rules.measurement_lost import MeasurementLost
from alerts.rules.paced import Paced
from alerts.rules.propagation_lag import PropagationLag
from alerts.rules.sequence_gap import SequenceGap
from alerts.rules.silent import Silent
from alerts.rules.staleness import Staleness
from alerts.rules.unreachable import Unreachable
from alerts.rules.watchdog import Watchdog

__all__ = [
    "BurnRate",
    "ConfigDrift",
    "Drift",
    "HitRate",
    "MeasurementLost",
    "Mode",
    "Paced",
    "PropagationLag",
    "Rule",
    "SequenceGap",
    "Silent",
    "Staleness",
    "Unreachable",
    "Watchdog",
]
