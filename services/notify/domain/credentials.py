"""What a login, a password and a client's secret must look like."""

import re
import secrets

LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
CLIENT_ID = re.compile(r"[a-z0-9][a-z0-9._-]{2,63}")

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 200
SHORTEST_SECRET = 32

_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"


def normal_login(text: str) -> str | None:
    """A login as it is looked up, or None for what cannot be one."""
    login = text.strip().lower()
    return login if LOGIN.fullmatch(login) else None


def password_fault(password: str, login: str) -> str | None:
    """Why a new password is not acceptable, as a code, or None: length counts, not kinds of characters (SP 800-63B)."""
    if len(password) < SHORTEST_PASSWORD:
        return "too-short"
    if len(password) > LONGEST_PASSWORD:
        return "too-long"
    if login in password.lower() or len(set(password)) < 5:
        return "too-simple"
    return None


def initial_password() -> str:
    """A password to hand over once, about 79 bits: four groups of four."""
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(4))


def client_secret() -> str:
    """A secret for an agency's system: 256 bits."""
    return secrets.token_urlsafe(32)
