"""Tests: pure ones by table and by property, the rest against the real servers."""
