"""The mathematics: pure functions from observations to bounds, verdicts and roll-ups."""
