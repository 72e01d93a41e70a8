"""One-time codes (TOTP, RFC 6238) by pyotp, and the QR code that an authenticator app reads."""

import io
from datetime import datetime

import pyotp
import segno
from pyotp.utils import strings_equal

STEP_S = 30
TOLERANCE = 1
"""Steps before and after the current one that are still taken, for clocks that differ."""


def new_secret() -> str:
    """A fresh secret, 160 bits in base32."""
    return pyotp.random_base32()


def matching_step(secret: str, code: str, now: datetime) -> int | None:
    """The time step whose code this is, or None. The caller records the step, so that no code works twice."""
    code = code.replace(" ", "")
    if len(code) != 6 or not (code.isascii() and code.isdigit()):
        return None
    totp = pyotp.TOTP(secret)
    current = int(now.timestamp()) // STEP_S
    found = None
    for step in range(current - TOLERANCE, current + TOLERANCE + 1):
        if strings_equal(totp.generate_otp(step), code):
            found = step
    return found


def address(secret: str, login: str, issuer: str) -> str:
    """The `otpauth:` address of a secret."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=issuer)


def qr_svg(text: str) -> str:
    """A QR code as inline SVG."""
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="svg", scale=5, border=2, xmldecl=False, svgns=True, omitsize=False)
    return out.getvalue().decode()
