"""What sees: one file a kind of cache or origin."""
