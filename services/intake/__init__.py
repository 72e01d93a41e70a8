"""Intake (受理): tips, leads, receipts, rewards and the registers of prevention."""
