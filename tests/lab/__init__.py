"""The lab: its real nodes, its faults, its truth and its scores."""
