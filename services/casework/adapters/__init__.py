"""Outside formats and systems of casework."""
