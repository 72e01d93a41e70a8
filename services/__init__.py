"""The four services (intake, casework, notify, scoring); each has its own process, database and consumer group."""
