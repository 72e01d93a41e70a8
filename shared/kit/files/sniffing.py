"""What a file is, by its content alone; the name and type its sender gave are never looked at. No I/O."""

import re
from typing import Any

from shared.kit.files.kinds import OFFICE

HEAD = 64 * 1024
"""How many first bytes are looked at."""

_MARKUP = re.compile(
    rb"^(\xef\xbb\xbf)?\s*(<!--.*?-->\s*)*(<\?xml[^>]*\?>\s*)?(<!--.*?-->\s*)*"
    rb"<(!doctype|html|head|body|script|svg|iframe|style|title|a|img|div|table|\?php|%)",
    re.IGNORECASE | re.DOTALL,
)
"""What a browser would take for a page (WHATWG MIME Sniffing §7.1), or a drawing that may carry scripts."""

_SCRIPTED = re.compile(rb"<(script|html|svg|iframe|\?php)[\s>/]", re.IGNORECASE)

_PROGRAMS = (
    b"MZ",
    b"\x7fELF",
    b"#!",
    b"\xca\xfe\xba\xbe",
    b"\xcf\xfa\xed\xfe",
    b"\xce\xfa\xed\xfe",
    b"dex\n",
    b"L\0\0\0\x01\x14\x02\0",
)

_BY_ENDING = {
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".jfif": "image/jpeg", ".png": "image/png", ".gif": "image/gif",
    ".webp": "image/webp", ".bmp": "image/bmp", ".tif": "image/tiff", ".tiff": "image/tiff", ".pdf": "application/pdf",
    ".mp3": "audio/mpeg", ".mpga": "audio/mpeg", ".wav": "audio/wav", ".ogg": "audio/ogg", ".oga": "audio/ogg",
    ".flac": "audio/flac", ".amr": "audio/amr", ".aac": "audio/aac", ".docx": f"{OFFICE}.wordprocessingml.document",
    ".doc": "application/x-ole-storage", ".heif": "image/heif", ".heic": "image/heif",
}  # fmt: skip
_ARCHIVES = frozenset({".rar", ".7z", ".gz", ".tar", ".xz", ".bz2", ".zst", ".cab", ".iso"})
_STILL_BRANDS = frozenset({b"heic", b"heix", b"mif1", b"msf1", b"hevc", b"avif"})


def identify(head: bytes, *, whole: bool) -> tuple[str | None, str]:
    """The media type of a file that begins with `head` (at most HEAD bytes; `whole`: that is all of it).

    (type, "") or (None, reason of `REFUSALS`). A zip is called a Word document here; which it is, or that it is
    none, is told where it is opened.
    """
    if not head:
        return None, "empty"
    if head.startswith(_PROGRAMS) and not head.startswith(b"#!AMR"):
        return None, "executable"
    if _MARKUP.match(head[:4096]):
        return None, "markup"
    if head[4:8] == b"ftyp":
        return _iso_media(head), ""
    for found in _candidates(head):
        # the surest first
        if found.extension in _ARCHIVES:
            return None, "archive"
        if media_type := _BY_ENDING.get(found.extension):
            return media_type, ""
    if is_text(head, whole=whole):
        return ("text/plain", "") if not _SCRIPTED.search(head[:1024]) else (None, "markup")
    return None, "unknown-type"


def _candidates(head: bytes) -> list[Any]:
    # imported late: a service that is handed no file does not pay for it
    import puremagic

    try:
        return puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return []


def _iso_media(head: bytes) -> str:
    brand = head[8:12]
    if brand in _STILL_BRANDS:
        return "image/heif"
    if brand in (b"M4A ", b"M4B "):
        return "audio/mp4"
    return "video/quicktime" if brand == b"qt  " else "video/mp4"


def is_text(data: bytes, *, whole: bool) -> bool:
    """Whether bytes are plain text in a coding used in China (UTF-8, GB 18030, UTF-16 with its mark)."""
    codings = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")
    for coding in codings:
        for cut in range(1 if whole else 4):
            try:
                text = data[: len(data) - cut].decode(coding)
            except UnicodeDecodeError:
                continue
            return not any(c < " " and c not in "\t\n\r\f" for c in text) and "\x7f" not in text
    return False
