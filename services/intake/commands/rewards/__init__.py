"""Informant rewards: claims, proposals, decisions, payments, and the fund."""
