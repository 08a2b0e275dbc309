"""The weekly freshness report."""
