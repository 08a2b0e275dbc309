"""Objectives as OpenSLO v1 documents, there and back, with a list of what could not be carried."""
