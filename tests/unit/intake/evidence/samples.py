"""Files as strangers send them, made on the spot: honest ones that carry a trail, and hostile ones."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

from PIL import Image
from PIL.PngImagePlugin import PngInfo

OFFICE = "application/vnd.openxmlformats-officedocument"
MARK = "TRAIL-7f3a"
"""What must be in no copy."""


def photo(mark: str = MARK, fmt: str = "JPEG", size: tuple[int, int] = (64, 48)) -> bytes:
    """A photo whose EXIF tells the place, the camera's serial number and its owner."""
    out = io.BytesIO()
    picture = Image.effect_noise(size, 60).convert("RGB")
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x9C9B] = mark, f"model {mark}", mark.encode("utf-16-le")
    exif[0x0112] = 6
    exif.get_ifd(0x8769).update({0xA431: f"serial {mark}", 0x9286: mark.encode(), 0xA430: mark})
    exif.get_ifd(0x8825).update({1: "N", 2: (22.0, 31.0, 7.7), 3: "E", 4: (113.0, 23.0, 1.1), 29: mark})
    more = (
        {"pnginfo": _png_text(mark)} if fmt == "PNG" else {"comment": mark.encode()} if fmt in ("JPEG", "GIF") else {}
    )
    xmp = {"xmp": f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{mark}</x:xmpmeta>".encode()} if fmt in ("JPEG", "WEBP") else {}
    picture.save(out, fmt, **({} if fmt in ("GIF", "BMP") else {"exif": exif}), **more, **xmp)
    return out.getvalue()


def _png_text(mark: str) -> PngInfo:
    info = PngInfo()
    info.add_text("Author", mark)
    info.add_itxt("XML:com.adobe.xmp", mark)
    return info


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def movie(brand: bytes = b"isom", mark: str = MARK) -> bytes:
    """A recording of a telephone: place, device and time in its boxes."""
    dated = bytes(4) + struct.pack(">II", 3_800_000_000, 3_800_000_000)
    return b"".join(
        (
            box(b"ftyp", brand, bytes(4), brand),
            box(
                b"moov",
                box(b"mvhd", dated, bytes(88)),
                box(b"udta", box(b"\xa9xyz", f"+22.5+113.3/{mark}".encode())),
                box(b"meta", mark.encode()),
                box(b"trak", box(b"tkhd", dated, bytes(72)), box(b"mdia", box(b"mdhd", dated, bytes(12)), box(b"hdlr", bytes(24), mark.encode()))),
            ),
            box(b"uuid", bytes(16), mark.encode()),
            box(b"mdat", b"sound and picture" * 50),
        )
    )  # fmt: skip


def mp3(mark: str = MARK) -> bytes:
    from mutagen.id3 import COMM, ID3, TPE1

    sound = io.BytesIO((b"\xff\xfb\x90\x64" + bytes(413)) * 20)
    tags = ID3()
    tags.add(TPE1(encoding=3, text=[mark]))
    tags.add(COMM(encoding=3, lang="chi", desc="", text=[mark]))
    tags.save(sound, v1=2)
    return sound.getvalue()


def wav(mark: str = MARK) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)

    told = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 8000, 1, 8)) + chunk(b"LIST", b"INFOIART" + mark.encode())
    body = b"WAVE" + told + chunk(b"bext", mark.encode()) + chunk(b"data", bytes(range(256)) * 4)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def amr(mark: str = MARK) -> bytes:
    return b"#!AMR\n" + (b"\x3c" + bytes(31)) * 10 + b"\x3c" + mark.encode()


def pdf(mark: str = MARK, change: Callable[..., None] | None = None) -> bytes:
    """A scanned page: author in the information and XMP, a photo with EXIF on it."""
    import pikepdf
    from pikepdf import Dictionary, Name, Stream

    out = io.BytesIO()
    with pikepdf.new() as made:
        page = made.add_blank_page()
        image = Stream(
            made, photo(mark), Type=Name.XObject, Subtype=Name.Image, Width=64, Height=48, BitsPerComponent=8,
            ColorSpace=Name.DeviceRGB, Filter=Name.DCTDecode,
        )  # fmt: skip
        page.Resources = Dictionary(XObject=Dictionary(Im0=image))
        made.docinfo["/Author"] = mark
        with made.open_metadata() as xmp:
            xmp["dc:creator"] = [mark]
        if change:
            change(made)
        made.save(out, compress_streams=False)
    return out.getvalue()


def scripted_pdf() -> bytes:
    from pikepdf import Dictionary, Name

    def change(made: object) -> None:
        made.Root.OpenAction = Dictionary(S=Name.JavaScript, JS="app.alert(1)")  # type: ignore[attr-defined]

    return pdf(change=change)


def attached_pdf() -> bytes:
    return pdf(change=lambda made: made.attachments.update({"run.exe": b"MZ"}))


def docx(mark: str = MARK, kind: str = "word", **more: bytes) -> bytes:
    """A document with author, company, revisions and a photo."""
    names = {"word": "document", "xl": "workbook", "ppt": "presentation"}
    parts = {
        "[Content_Types].xml": b"<Types/>",
        "_rels/.rels": b'<Relationships><Relationship Id="a" Type="http://x/thumbnail" Target="docProps/thumbnail.jpeg"/></Relationships>',
        "docProps/core.xml": f"<cp:coreProperties><dc:creator>{mark}</dc:creator></cp:coreProperties>".encode(),
        "docProps/app.xml": f"<Properties><Company>{mark}</Company></Properties>".encode(),
        "docProps/thumbnail.jpeg": photo(mark),
        f"{kind}/{names[kind]}.xml": f'<w:p w:rsidR="00{mark}"><w:ins w:author="{mark}" w:date="2020-01-01T00:00:00Z"><w:t>窝点在三楼</w:t></w:ins></w:p>'.encode(),
        f"{kind}/_rels/{names[kind]}.xml.rels": f'<Relationships><Relationship Id="b" Type="http://x/attachedTemplate" Target="https://{mark}.example/t.dotx" TargetMode="External"/></Relationships>'.encode(),
        f"{kind}/media/image1.jpeg": photo(mark),
        f"{kind}/comments.xml": f'<w:comment w:author="{mark}" w:initials="{mark}"><w:t>x</w:t></w:comment>'.encode(),
    }
    return zipped({**parts, **more})


def zipped(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return out.getvalue()


def zip_bomb() -> bytes:
    """A document of some 170 KB that unfolds to 160 MB."""
    return docx(**{"word/media/big.bmp": bytes(160 << 20)})


def pixel_bomb() -> bytes:
    """A PNG of a few bytes that says it has 60,000 × 60,000 pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


HONEST = {
    "image/jpeg": photo,
    "image/png": lambda: photo(fmt="PNG"),
    "image/gif": lambda: photo(fmt="GIF"),
    "image/webp": lambda: photo(fmt="WEBP"),
    "image/tiff": lambda: photo(fmt="TIFF"),
    "audio/mpeg": mp3,
    "audio/mp4": lambda: movie(b"M4A "),
    "audio/wav": wav,
    "audio/amr": amr,
    "video/mp4": movie,
    "video/quicktime": lambda: movie(b"qt  "),
    "application/pdf": pdf,
    f"{OFFICE}.wordprocessingml.document": docx,
    f"{OFFICE}.spreadsheetml.sheet": lambda: docx(kind="xl"),
    f"{OFFICE}.presentationml.presentation": lambda: docx(kind="ppt"),
    "text/plain": lambda: "三楼每天有人上课".encode("gb18030"),
}
"""Media type → a file of it that carries a trail."""

HOSTILE = {
    "empty": ("empty", lambda: b""),
    "program": ("executable", lambda: b"MZ\x90\0" + bytes(300)),
    "elf": ("executable", lambda: b"\x7fELF\x02\x01\x01" + bytes(300)),
    "script": ("executable", lambda: b"#!/bin/sh\nrm -rf ~\n"),
    "page": ("markup", lambda: b" \n<!-- x --><!DOCTYPE html><html><script>alert(1)</script>"),
    "svg-with-script": ("markup", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
    "svg-after-xml": ("markup", lambda: b"<?xml version='1.0'?>\n<!-- a -->\n<svg onload='x()'/>"),
    "rar": ("archive", lambda: b"Rar!\x1a\x07\x01\0" + bytes(300)),
    "zip": ("archive", lambda: zipped({"a.txt": b"x"})),
    "noise": ("unknown-type", lambda: b"\x93\x01\x02\x03\xfe\xdc" * 100),
    "zip-bomb": ("bomb", zip_bomb),
    "nested-zip": ("bomb", lambda: docx(**{"word/media/inner.zip": zipped({"a": bytes(1000)})})),
    "pixel-bomb": ("bomb", pixel_bomb),
    "jpeg-and-zip": ("polyglot", lambda: photo() + zipped({"a.html": b"x"})),
    "jpeg-and-page": ("polyglot", lambda: photo() + b"<html><script>alert(1)</script></html>"),
    "gif-and-php": ("polyglot", lambda: photo(fmt="GIF") + b"<?php system($_GET[0]); ?>"),
    "png-and-pdf": ("polyglot", lambda: photo(fmt="PNG") + pdf()[:4000]),
    "pdf-and-zip": ("polyglot", lambda: pdf() + zipped({"a.class": b"x"})),
    "script-in-exif": ("polyglot", lambda: photo(mark="<script>alert(1)</script>")),
    "macro": ("active-content", lambda: docx(**{"word/vbaProject.bin": b"x"})),
    "entity-bomb": ("active-content", lambda: docx(**{"word/styles.xml": b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"})),
    "scripted-pdf": ("active-content", scripted_pdf),
    "pdf-with-attachment": ("active-content", attached_pdf),
    "half-a-photo": ("broken", lambda: photo(size=(400, 300))[:9000]),
    "half-a-movie": ("broken", lambda: movie()[:-40]),
    "half-a-document": ("broken", lambda: docx()[:600]),
}
"""Name → why it is refused, and the file."""
