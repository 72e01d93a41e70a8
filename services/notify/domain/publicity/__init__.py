"""Pure rules of publicity: the schedule, what proves a thing, warnings and materials step by step, what may be public."""
