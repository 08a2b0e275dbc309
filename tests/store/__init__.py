"""Tests of the store: one contract for every engine, then what only one of them does."""
