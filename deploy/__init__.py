"""How Dachuan is run: the command, the one-machine runtime, plans, and production descriptions."""
