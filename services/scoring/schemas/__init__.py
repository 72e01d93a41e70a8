"""HTTP bodies of scoring: one module a capability."""
