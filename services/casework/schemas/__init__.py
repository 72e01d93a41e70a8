"""Bodies of casework's API: one module a capability."""
