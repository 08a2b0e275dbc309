"""Alerts: rules, their states, and how they are told."""
