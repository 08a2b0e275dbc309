"""Tests of what only the SQLite engine does."""
