"""The only writers of notify's database."""
