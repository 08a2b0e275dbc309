"""The mathematics of freshness: pure functions from observations to bounds, verdicts and roll-ups."""
