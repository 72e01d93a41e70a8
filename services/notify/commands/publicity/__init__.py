"""The only writers of publicity: the schedule, its proofs, places, materials, the log and the exposures."""
