"""Consequences: the ladder of tools, rewards and penalties, accountability, special funds."""
