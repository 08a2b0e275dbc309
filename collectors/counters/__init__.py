"""What nodes count of themselves: read from the nodes, or from a Prometheus that already does."""
