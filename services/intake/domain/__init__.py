"""What intake decides, without I/O."""
