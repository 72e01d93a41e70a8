"""Outside formats and systems: object storage, documents, scanners, channels."""
