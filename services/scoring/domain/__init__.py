"""What a fact is worth: rulebook lines, ledger entries and standings as pure functions, without input or output."""
