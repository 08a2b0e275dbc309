"""The application: command line, configuration, wiring, schedule and server."""
