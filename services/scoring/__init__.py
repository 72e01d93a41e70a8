"""Scoring (考核记分): obligations, the append-only ledger, standings, and the feed of the central office."""
