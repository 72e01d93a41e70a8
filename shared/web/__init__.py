"""What all pages share: theme, layout, words and static files."""
