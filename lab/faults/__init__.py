"""What can go wrong on purpose: one file a class of fault."""
