"""Real caches, a workload and injectable faults: the demo and the end-to-end tests."""
