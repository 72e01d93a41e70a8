"""Documents (执法文书) without I/O: kinds, values as printed, numbers, and the states of a document's life."""
