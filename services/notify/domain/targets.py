"""Which addresses a webhook may go to: public ones, never our own network."""

from ipaddress import IPv4Address, IPv6Address, ip_network
from urllib.parse import SplitResult, urlsplit

_TRANSLATED = tuple(ip_network(n) for n in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
"""IPv6 addresses that carry an IPv4 one inside, which could be any."""


class BadTargetError(ValueError):
    """A target that must not be used; the message is a code."""


def parsed(url: str, *, local: bool) -> SplitResult:
    """A target's parts. BadTargetError for anything but a plain https address (http too in the local mode)."""
    if any(ord(c) <= 0x20 or ord(c) == 0x7F for c in url) or "\\" in url:
        raise BadTargetError("characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadTargetError("address") from error
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise BadTargetError("https-needed")
    if not parts.hostname or port == 0 or not parts.hostname.isascii():
        raise BadTargetError("host")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise BadTargetError("user-or-fragment")
    return parts


def permitted(address: IPv4Address | IPv6Address, *, local: bool) -> bool:
    """Whether a resolved address may be connected to; loopback only in the local mode."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return permitted(address.ipv4_mapped, local=local)
        if address.is_site_local or any(address in network for network in _TRANSLATED):
            return False
    if address.is_loopback:
        return local
    return address.is_global and not address.is_multicast and not address.is_unspecified
