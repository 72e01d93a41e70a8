"""Bulletins, situation reports and summaries: compiled, edited, released by two persons, made as files."""
