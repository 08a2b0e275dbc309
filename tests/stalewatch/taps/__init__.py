"""Taps against real servers, as `up` runs them."""
