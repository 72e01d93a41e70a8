"""Word, Excel and PowerPoint files (ECMA-376): written anew without properties, authors, thumbnails and photo EXIF."""

import io
import re
import zipfile
import zlib

from shared.kit.files.cleaner import KeptError, RefusedError
from shared.kit.files.cleaner.images import strip_jpeg
from shared.kit.files.kinds import OFFICE

_MOST_ENTRIES = 3_000
_MOST_UNFOLDED = 150 << 20
_WORST_RATIO = 200
"""Real documents stay far below; XML of spreadsheets reaches some 40."""

_KINDS = {
    "word/": f"{OFFICE}.wordprocessingml.document",
    "xl/": f"{OFFICE}.spreadsheetml.sheet",
    "ppt/": f"{OFFICE}.presentationml.presentation",
}
_PROPERTIES = "http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
_EXTENDED = "http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"
_CUSTOM = "http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"
_EMPTY = {
    "docProps/core.xml": f'<?xml version="1.0" encoding="UTF-8"?><cp:coreProperties xmlns:cp="{_PROPERTIES}"/>'.encode(),
    "docProps/app.xml": f'<?xml version="1.0" encoding="UTF-8"?><Properties xmlns="{_EXTENDED}"/>'.encode(),
    "docProps/custom.xml": f'<?xml version="1.0" encoding="UTF-8"?><Properties xmlns="{_CUSTOM}"/>'.encode(),
}
_ACTIVE = re.compile(r"vbaproject|vbadata|activex|\.bin$|macrosheets|\.exe$|\.js$|\.html?$|\.svg$", re.IGNORECASE)
_HARMLESS_BIN = re.compile(r"printersettings\d*\.bin$", re.IGNORECASE)
_NAMES = re.compile(
    rb'((?:\w+:)?(?:author|initials|userId|providerId|lastModifiedBy|lastEditedBy|name)\s*=\s*)"[^"]*"(?=[^<]*>)'
)
_PEOPLE = re.compile(r"(people|persons?/|commentAuthors|authors|users)[^/]*\.xml$|persons?/", re.IGNORECASE)
"""Parts that are lists of people."""
_AUTHOR = re.compile(rb'((?:\w+:)(?:author|initials|date|userId|providerId)\s*=\s*)"[^"]*"')
_XL_AUTHOR = re.compile(rb"<((?:\w+:)?author)>[^<]*</((?:\w+:)?author)>")
_IDS = re.compile(rb'\s(?:\w+:)rsid\w*="[^"]*"')
_OUTSIDE = re.compile(rb'<Relationship\b[^>]*TargetMode\s*=\s*"External"[^>]*/?>')
_LINK = re.compile(rb'Type\s*=\s*"[^"]*/hyperlink"')


def clean(data: bytes) -> tuple[str, bytes]:
    """(media type, bytes) of the document."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            return _clean(packed, data)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error, RuntimeError, OSError) as error:
        raise RefusedError("broken") from error


def _clean(packed: zipfile.ZipFile, data: bytes) -> tuple[str, bytes]:
    entries = packed.infolist()
    names = {entry.filename for entry in entries}
    kind = next((kind for prefix, kind in _KINDS.items() if any(name.startswith(prefix) for name in names)), None)
    unfolded = sum(entry.file_size for entry in entries)
    if len(entries) > _MOST_ENTRIES or unfolded > _MOST_UNFOLDED or unfolded > _WORST_RATIO * len(data) + (1 << 20):
        raise RefusedError("bomb")
    if kind is None or "[Content_Types].xml" not in names:
        raise RefusedError("archive")
    if entries[0].header_offset != 0 and not data.startswith(b"PK\x03\x04"):
        raise RefusedError("polyglot")
    if len(names) != len(entries) or any(name.startswith("/") or ".." in name.split("/") for name in names):
        raise RefusedError("broken")
    if any(entry.flag_bits & 1 for entry in entries):
        raise KeptError("encrypted")
    if any(_ACTIVE.search(name) and not _HARMLESS_BIN.search(name) for name in names):
        raise RefusedError("active-content")
    if any("/embeddings/" in name for name in names):
        raise KeptError("embedded")
    out, left = io.BytesIO(), _MOST_UNFOLDED
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for entry in entries:
            if entry.is_dir() or entry.filename.startswith("docProps/thumbnail"):
                continue
            with packed.open(entry) as file:
                content = file.read(left + 1)
            left -= len(content)
            if left < 0:
                raise RefusedError("bomb")
            made.writestr(zipfile.ZipInfo(entry.filename), _part(entry.filename, content), zipfile.ZIP_DEFLATED)
    return kind, out.getvalue()


def _part(name: str, content: bytes) -> bytes:
    if name in _EMPTY:
        return _EMPTY[name]
    if content[:4] == b"PK\x03\x04":
        raise RefusedError("bomb")
    if name.endswith((".jpg", ".jpeg")) or content[:3] == b"\xff\xd8\xff":
        return strip_jpeg(content)
    if not name.endswith((".xml", ".rels")):
        return content
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise RefusedError("active-content")
    if name.endswith(".rels"):
        return _OUTSIDE.sub(lambda found: found[0] if _LINK.search(found[0]) else b"", _without_thumbnail(content))
    content = _XL_AUTHOR.sub(rb"<\1></\2>", _AUTHOR.sub(_blank, content))
    if _PEOPLE.search(name):
        content = _NAMES.sub(rb'\1""', content)
    return _IDS.sub(b"", content)


def _blank(found: re.Match[bytes]) -> bytes:
    return found[1] + (b'"2000-01-01T00:00:00Z"' if b"date" in found[1] else b'""')


def _without_thumbnail(content: bytes) -> bytes:
    return re.sub(rb'<Relationship\b[^>]*/thumbnail"[^>]*/?>', b"", content)
