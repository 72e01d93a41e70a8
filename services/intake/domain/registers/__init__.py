"""Prevention registers: what a patrol calendar, an address, a sign and a task are. No I/O."""
