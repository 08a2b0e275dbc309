"""The web UI on real stores, servers and browsers."""
