"""Rulebooks: the versions in use, drafts, publication by two persons."""
