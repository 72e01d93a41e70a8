"""PDF by typst, in the layout of official documents (`deploy/documents/layout.typ`)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import typst

CJK = (
    "Noto Serif CJK SC", "Noto Sans CJK SC", "Source Han Serif SC", "Source Han Sans SC", "SimSun", "FangSong",
    "FangSong_GB2312", "STFangsong",
)  # fmt: skip
"""One of these has to be installed, or a Chinese document would be empty boxes."""


class FontsMissing(RuntimeError):
    """No Chinese font is installed where documents are set."""


def fonts_of(folders: list[str]) -> Any:
    """The fonts of the system and of these folders. Raises `FontsMissing` without a Chinese one."""
    fonts = typst.Fonts(include_system_fonts=True, include_embedded_fonts=True, font_paths=folders)
    if not set(CJK) & set(fonts.families()):
        raise FontsMissing(", ".join(CJK[:2]))
    return fonts


def typeset(
    layout: bytes, blocks: list[dict[str, Any]], *, title: str, issuer: str, draft: bool, made: datetime,
    fonts: list[str],
) -> bytes:  # fmt: skip
    """A PDF of what a document says. The same input gives the same pages."""
    data = json.dumps({"blocks": blocks, "title": title, "issuer": issuer, "draft": draft}, ensure_ascii=False)
    compiler = typst.Compiler(layout, font_paths=fonts_of(fonts), sys_inputs={"data": data})
    pdf = compiler.compile(format="pdf", timestamp=made.replace(microsecond=0))
    assert isinstance(pdf, bytes)
    return pdf
