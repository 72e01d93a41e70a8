"""What a check of a plan finds, and where in the files it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from shared.rules.yaml_source import Path_, Where


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. ``where`` prints as ``file:line``; texts say what is wrong and what to do."""

    severity: Literal["error", "warning", "info"]
    where: Where
    code: str
    text_zh: str
    text_en: str


class Spots:
    """Places of all parts of a plan over its files, addressed by the path of keys."""

    def __init__(self, fallback: str) -> None:
        self._places: dict[Path_, Where] = {}
        self._fallback = Where(fallback, 1)

    def take(self, key: str, places: dict[Path_, Where]) -> None:
        """Add the places below one top-level key of a file."""
        self._places.update({path: where for path, where in places.items() if path and path[0] == key})

    def at(self, path: Path_) -> Where:
        """The place of a part, or of the nearest part around it."""
        for length in range(len(path), 0, -1):
            where = self._places.get(path[:length])
            if where is not None:
                return where
        return self._fallback


_SAYINGS: dict[str, tuple[str, str]] = {
    "missing": ("缺少“{name}”；请补上。", "“{name}” is missing; add it"),
    "extra_forbidden": (
        "不认识“{name}”；请检查拼写或删去（文字里有逗号时要加引号）。",
        "“{name}” is not known here; check the spelling or remove it (quote text that has a comma)",
    ),
    "string_type": ("“{name}”应是文字；数字和代码请加引号。", "“{name}” must be text; quote numbers and codes"),
    "int_type": ("“{name}”应是整数。", "“{name}” must be a whole number"),
    "int_parsing": ("“{name}”应是整数。", "“{name}” must be a whole number"),
    "bool_type": ("“{name}”应是 true 或 false。", "“{name}” must be true or false"),
    "bool_parsing": ("“{name}”应是 true 或 false。", "“{name}” must be true or false"),
    "tuple_type": ("“{name}”应是列表（每项前加“- ”或用 [ ]）。", "“{name}” must be a list"),
    "model_type": ("“{name}”应是“键: 值”。", "“{name}” must be a mapping"),
    "model_attributes_type": ("“{name}”应是“键: 值”。", "“{name}” must be a mapping"),
    "dict_type": ("“{name}”应是“键: 值”。", "“{name}” must be a mapping"),
    "date_type": ("“{name}”应是日期，如 2015-10-19。", "“{name}” must be a date such as 2015-10-19"),
    "date_from_datetime_parsing": ("“{name}”不是有效日期。", "“{name}” is not a valid date"),
    "string_pattern_mismatch": (
        "“{name}”写法不对：{input}；id 只用小写字母、数字、- 和 _，区划代码为 6、9 或 12 位数字。",
        "“{name}” has the wrong form: {input}; ids use a–z, 0–9, - and _; area codes have 6, 9 or 12 digits",
    ),
    "literal_error": ("“{name}”只能是 {expected}，不能是 {input}。", "“{name}” must be {expected}, not {input}"),
}


def mistake_of(error: dict[str, Any] | Any, spots: Spots) -> Finding:
    """A finding for one of pydantic's errors, at the line of the value (or of the part that lacks it)."""
    loc: Path_ = tuple(error["loc"])
    name = str(loc[-1]) if loc else "plan"
    kind = str(error["type"])
    shown = repr(error.get("input"))[:60]
    context = error.get("ctx") or {}
    if kind in _SAYINGS:
        zh, en = (
            text.format(name=name, input=shown, expected=context.get("expected", "")) for text in _SAYINGS[kind]
        )
    elif kind == "value_error":
        zh, _, en = str(context.get("error", error["msg"])).partition(" / ")
        zh, en = f"“{name}”：{zh}。", f"“{name}”: {en or zh}"
    else:
        zh, en = f"“{name}”有误：{error['msg']}（{shown}）。", f"“{name}”: {error['msg']} ({shown})"
    return Finding("error", spots.at(loc), kind.replace("_", "-"), zh, en)
