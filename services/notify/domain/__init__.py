"""Decisions of notify without I/O."""
