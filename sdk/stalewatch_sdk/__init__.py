"""The versioned, idempotent, traced invalidation protocol."""
