"""Notify (通知): accounts and sign-in, notices and their signing, webhooks to agencies' systems; the home page."""
