"""Casework (办案): joint cases with their parties and clocks; later dens, evidence, transfers, measures, penalties."""
