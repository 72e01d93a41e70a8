"""The only writers of findings (认定): proposed by their facts, decided by persons, heard, appealed."""
