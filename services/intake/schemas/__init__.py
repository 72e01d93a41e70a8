"""HTTP bodies of intake: one module a capability."""
