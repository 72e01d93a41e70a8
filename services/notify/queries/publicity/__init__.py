"""Publicity as those concerned see it: the board with what is missing, proofs, materials, the log, exposures."""
