"""Facts, findings and roll-ups behind narrow protocols."""
