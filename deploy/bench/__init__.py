"""Measuring Dachuan on this machine, with the machine's own bare limit in the same run."""
