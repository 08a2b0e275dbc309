"""From views to components: pure functions, one part of a page a file."""
