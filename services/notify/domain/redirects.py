"""Where a sign-in may lead: back to our own pages, never elsewhere."""

from collections.abc import Iterable
from urllib.parse import urlsplit


def safe_next(wanted: str | None, bases: Iterable[str], home: str) -> str:
    """The address to go to after sign-in: `wanted` if it lies under one of our base addresses, else `home`.

    Compared as parsed parts, never as a prefix of text: `http://our-host.example.org` does not lie under
    `http://our-host`. Anything a browser may read otherwise than we do (backslashes, control characters, user
    names, missing hosts) is refused.
    """
    if not wanted or "\\" in wanted or any(ord(c) <= 0x20 or ord(c) == 0x7F for c in wanted):
        return home
    try:
        asked = urlsplit(wanted)
        _ = asked.port
    except ValueError:
        return home
    if asked.username is not None or asked.password is not None or ".." in asked.path.split("/"):
        return home
    for base in map(urlsplit, bases):
        below = base.path.rstrip("/")
        same_host = (asked.scheme, asked.netloc.lower()) == (base.scheme, base.netloc.lower())
        if same_host and (asked.path == below or asked.path.startswith(f"{below}/")):
            return wanted
    return home
