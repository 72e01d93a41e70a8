"""The only writers of intake's database: one module a capability."""
