"""The kit: how a service keeps its promises (outbox, relay, inbox, access, audit, …); never business rules."""
