"""Documents as files: Word templates checked and filled, PDF set from what they say, in a process of its own."""
