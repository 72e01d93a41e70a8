"""Word templates filled with printed texts in jinja's sandbox: a template prints, repeats and leaves out, nothing else."""

from __future__ import annotations

import io
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from docx.shared import Mm
from docxtpl import DocxTemplate, InlineImage
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

TEXT_WIDTH_MM = 156
"""Width of the text between the margins of `sheet.Sheet`."""


def environment() -> ImmutableSandboxedEnvironment:
    """Jinja as templates get it: escaping, sandboxed, nothing callable."""
    env = ImmutableSandboxedEnvironment(autoescape=True, undefined=StrictUndefined)
    env.globals.clear()
    env.filters.clear()
    env.tests.clear()
    return env


def fill(content: bytes, context: Mapping[str, Any], pictures: Mapping[str, bytes] | None = None) -> bytes:
    """A template filled with printed texts (lists: rows of texts), as a .docx. Texts stay texts, whatever they hold.

    ``pictures``: PNG files that the template prints by name, as wide as the text.
    """
    template = DocxTemplate(io.BytesIO(content))
    filled = {name: _inert(value) for name, value in context.items()}
    for name, png in (pictures or {}).items():
        filled[name] = InlineImage(template, io.BytesIO(png), width=Mm(TEXT_WIDTH_MM))
    template.render(filled, environment(), autoescape=True)
    kept = io.BytesIO()
    template.save(kept)
    return kept.getvalue()


def _inert(value: Any) -> Any:
    if isinstance(value, list):
        return [SimpleNamespace(**{name: _inert(text) for name, text in row.items()}) for row in value]
    # braces as references: docxtpl rewrites some of them in what it has filled; \a makes a new paragraph
    text = str(escape(value)).replace("{", "&#123;").replace("}", "&#125;")
    return Markup(text.replace("\n", "\a"))
