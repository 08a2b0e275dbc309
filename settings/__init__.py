"""Value types of the configuration: durations, secrets, addresses and TLS."""
