"""Objectives in the words of others: rules for a Prometheus, and tests of them."""
