"""Charts as pictures, drawn by typst from figures alone: the same figures give the same picture in Word and in PDF."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import typst

from shared.kit.documents.typesetting import fonts_of

_DOTS_PER_INCH = 200
_BARS = b"""
#let chart = json(bytes(sys.inputs.data))
#set page(width: 156mm, height: auto, margin: 3mm)
#set text(10.5pt, font: ("Noto Sans CJK SC", "Source Han Sans SC", "SimSun", "Noto Serif CJK SC"), lang: "zh")
#align(center, text(12pt, chart.title))
#v(2mm)
#let most = calc.max(1, ..chart.bars.map(bar => bar.at(1)))
#grid(
  columns: (40mm, 1fr), column-gutter: 3mm, row-gutter: 2.2mm, align: (right + horizon, left + horizon),
  ..chart.bars.map(bar => (
    [#bar.at(0)],
    box(stack(dir: ltr, spacing: 2mm,
      rect(width: 88mm * bar.at(1) / most + 0.4mm, height: 4.6mm, fill: luma(90), stroke: none),
      align(horizon, [#bar.at(1)]))),
  )).flatten(),
)
"""


def draw(chart: Mapping[str, Any], fonts: list[str]) -> bytes:
    """A PNG of lying bars: ``title`` and ``bars`` ([name, whole number ≥ 0] each). Raises `FontsMissing`."""
    data = json.dumps({"title": chart["title"], "bars": list(chart["bars"])}, ensure_ascii=False)
    compiler = typst.Compiler(_BARS, font_paths=fonts_of(fonts), sys_inputs={"data": data})
    png = compiler.compile(format="png", ppi=_DOTS_PER_INCH)
    assert isinstance(png, bytes)
    return png
