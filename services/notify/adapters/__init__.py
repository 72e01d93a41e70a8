"""Outside formats and systems: password hashes, one-time codes, an OpenID provider, agencies' webhook targets."""
