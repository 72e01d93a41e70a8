"""Decisions about joint cases: pure functions over frozen values, without input or output."""
