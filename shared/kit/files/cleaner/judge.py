"""One file: is it what it seems, does another hide in it, and its copy without metadata."""

import io
import re
import zipfile

from shared.kit.files.cleaner import KeptError, RefusedError
from shared.kit.files.sniffing import is_text

_SCRIPT = re.compile(rb"<(script|html|svg|iframe)[\s>/]|<\?php|<!doctype html", re.IGNORECASE)
_UNCLEANABLE = frozenset({"image/heif", "application/x-ole-storage"})


def judge(media_type: str, data: bytes, mark: str = "") -> tuple[str, str, bytes]:
    """(media type found, media type of the copy, copy); RefusedError or KeptError otherwise. Pictures and PDF pages
    carry `mark`, if there is one, where everybody sees it."""
    family = media_type.partition("/")[0]
    if family in ("image", "audio", "video"):
        refuse_hidden(data)
    if media_type in _UNCLEANABLE:
        if media_type == "application/x-ole-storage" and (b"_\0V\0B\0A\0" in data or b"M\0a\0c\0r\0o\0s\0" in data):
            raise RefusedError("active-content")
        raise KeptError("no-cleaner")
    if family == "image":
        from shared.kit.files.cleaner import images

        copy_type, copy = images.clean(media_type, data, mark)
        return media_type, copy_type, copy
    if media_type in ("audio/mp4", "video/mp4", "video/quicktime"):
        from shared.kit.files.cleaner import iso_media

        return media_type, media_type, iso_media.clean(data)
    if family == "audio":
        from shared.kit.files.cleaner import sound

        return media_type, media_type, sound.clean(media_type, data)
    if media_type == "application/pdf":
        from shared.kit.files.cleaner import pdf

        if zipfile.is_zipfile(io.BytesIO(data)) or not data.startswith(b"%PDF-"):
            raise RefusedError("polyglot")
        return media_type, media_type, pdf.clean(data, mark)
    if media_type == "text/plain":
        return media_type, media_type, _text(data)
    from shared.kit.files.cleaner import office

    found, copy = office.clean(data)
    return found, found, copy


def refuse_hidden(data: bytes) -> None:
    """Refuse a picture or recording within which another kind of file hides: a page, a program, an archive, a PDF."""
    if _SCRIPT.search(data) or b"%PDF-" in data[:1024] or b"%PDF-" in data[-4096:]:
        raise RefusedError("polyglot")
    if zipfile.is_zipfile(io.BytesIO(data)):
        raise RefusedError("polyglot")


def _text(data: bytes) -> bytes:
    if not is_text(data, whole=True):
        raise RefusedError("broken")
    for coding in ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(coding).encode()
        except UnicodeDecodeError:
            continue
    raise RefusedError("broken")
