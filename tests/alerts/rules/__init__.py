"""A test file a kind of rule."""
