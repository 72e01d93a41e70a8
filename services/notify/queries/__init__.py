"""What is shown, already filtered by what the caller may see."""
