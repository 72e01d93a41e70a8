"""Reporting: the calendar set, reports written, sent, sent back and taken back, reporters named."""
