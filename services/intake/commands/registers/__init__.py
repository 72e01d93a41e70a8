"""Writers of the prevention registers, patrols and surveys."""
