"""Guards: each closes a class of mistakes."""
