"""What stands in a document: each field's value checked by its type, and as it is printed."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from services.casework.domain.documents import amounts
from services.casework.domain.documents.kinds import Column, DocumentField, Kind
from shared.rules.calendar import SHANGHAI
from shared.rules.law import LawBook, Unit, UnknownRule
from shared.rules.plan import Plan

MOST_ROWS = 500
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the writing direction of what follows: a printed amount could be read backwards."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One field that is missing or wrong: its id (`officers.1.name` inside a list), a code, and words."""

    field: str
    code: str
    zh: str
    en: str


Values = dict[str, Any]


def clean(kind: Kind, given: Mapping[str, Any], plan: Plan) -> tuple[Values, list[Fault]]:
    """Given values as they are kept (texts, ISO dates, decimal texts, codes, lists of rows), and what is wrong.

    Empty values are left out; whether something required is missing is for `missing` to say.
    """
    kept: Values = {}
    faults: list[Fault] = []
    known = {one.id for one in kind.fields}
    for name in given:
        if name not in known:
            faults.append(Fault(str(name)[:60], "unknown", "本文书没有这个字段", "this kind has no such field"))
    for one in kind.fields:
        if one.id in given and given[one.id] is not None:
            try:
                value = _items(one, given[one.id]) if one.type == "items" else _value(one, given[one.id], plan)
            except _Wrong as wrong:
                faults += wrong.faults
                continue
            if value not in ("", []):
                kept[one.id] = value
    return kept, faults


def missing(kind: Kind, values: Mapping[str, Any]) -> list[Fault]:
    """Every required field that has no value, and lists with too few rows."""
    faults = []
    for one in kind.fields:
        value = values.get(one.id)
        if one.type == "items" and one.least and (one.required or value) and len(value or ()) < one.least:
            faults.append(Fault(one.id, "too-few", f"{one.name.zh}至少 {one.least} 项", f"{one.name.en}: at least {one.least}"))
        elif one.required and not value and value != 0:
            faults.append(Fault(one.id, "missing", f"缺少：{one.name.zh}", f"missing: {one.name.en}"))
        for row_number, row in enumerate(value or () if one.type == "items" else ()):
            for column in one.columns:
                if column.required and column.id not in row:
                    faults.append(Fault(
                        f"{one.id}.{row_number}.{column.id}", "missing",
                        f"缺少：{one.name.zh}第 {row_number + 1} 项的{column.name.zh}",
                        f"missing: {column.name.en} of {one.name.en} {row_number + 1}",
                    ))  # fmt: skip
    return faults


def beyond_law(kind: Kind, values: Mapping[str, Any], plan: Plan, law: LawBook) -> list[Fault]:
    """Dates later than a rule allows after another date, such as a seal beyond 30 days (条例 art. 18)."""
    faults = []
    for one in kind.fields:
        if one.within is None or one.id not in values or one.within.after not in values:
            continue
        first = date.fromisoformat(values[one.within.after])
        until = limit_day(one.within.rule, first, plan, law)
        last = date.fromisoformat(values[one.id])
        if last < first:
            faults.append(Fault(one.id, "before-start", f"{one.name.zh}早于起始日期", f"{one.name.en} is before the start"))
        elif until is not None and last > until[0]:
            faults.append(Fault(
                one.id, "beyond-law", f"{one.name.zh}最迟为 {until[0]}（{until[1]}）", f"{one.name.en} is {until[0]} at the latest ({until[1]})"
            ))  # fmt: skip
    return faults


def limit_day(rule: str, first: date, plan: Plan, law: LawBook) -> tuple[date, str] | None:
    """The last day of a rule counted in calendar days from a day, and its article; None for other units."""
    try:
        line = plan.limit(rule, first, law)
    except UnknownRule:
        return None
    if line.unit is not Unit.CALENDAR_DAYS or line.value is None:
        return None
    return first + timedelta(days=int(line.value)), line.article


class _Wrong(ValueError):
    def __init__(self, *faults: Fault) -> None:
        super().__init__(faults[0].en if faults else "")
        self.faults = list(faults)


def _value(one: DocumentField | Column, given: Any, plan: Plan | None, at: str = "") -> Any:
    name = at or one.id
    kind = one.type
    if isinstance(given, str):
        given = _text(one, given, name)
        if not given:
            return ""
    try:
        if kind == "date":
            return date.fromisoformat(given).isoformat()
        if kind == "datetime":
            return _moment(given)
        if kind == "money":
            return _money(given)
        if kind == "count":
            return _count(given)
    except (ValueError, TypeError, InvalidOperation, OverflowError):
        zh, en = _FORMS[kind]
        raise _Wrong(Fault(name, "bad-" + kind, f"{one.name.zh}：{zh}", f"{one.name.en}: {en}")) from None
    if not isinstance(given, str):
        raise _Wrong(Fault(name, "bad-text", f"{one.name.zh}：应是文字", f"{one.name.en}: must be text"))
    if isinstance(one, DocumentField) and kind == "choice" and given not in {option.id for option in one.options}:
        codes = "、".join(option.id for option in one.options)
        raise _Wrong(Fault(name, "bad-choice", f"{one.name.zh}：只能是 {codes}", f"{one.name.en}: one of {codes}"))
    if kind == "agency" and plan is not None and given not in {agency.id for agency in plan.agencies}:
        raise _Wrong(Fault(name, "bad-agency", f"{one.name.zh}：没有这个单位", f"{one.name.en}: no such agency"))
    return given


_FORMS = {
    "date": ("日期写成 2026-11-23", "write the date as 2026-11-23"),
    "datetime": ("时间写成 2026-11-23T09:30", "write the moment as 2026-11-23T09:30"),
    "money": ("金额写成元，最多两位小数，小于一万亿", "yuan with at most two decimals, below 10^12"),
    "count": ("应是 0 或正整数", "a whole number from 0"),
}


def _text(one: DocumentField | Column, given: str, name: str) -> str:
    text = unicodedata.normalize("NFC", given.replace("\r\n", "\n").replace("\r", "\n")).strip()
    longest = one.longest if isinstance(one, DocumentField) else {"longtext": 5000}.get(one.type, 300)
    if one.type not in ("longtext", "place"):
        text = " ".join(text.split("\n"))
    if len(text) > longest:
        raise _Wrong(Fault(name, "too-long", f"{one.name.zh}：最多 {longest} 字", f"{one.name.en}: at most {longest} characters"))
    bad = next((char for char in text if char in _DIRECTION or (not _printable(char))), None)
    if bad is not None:
        raise _Wrong(Fault(
            name, "bad-character", f"{one.name.zh}：含有不能打印或改变文字方向的字符 U+{ord(bad):04X}，请删去",
            f"{one.name.en}: holds U+{ord(bad):04X}, which cannot be printed or turns the writing direction; remove it",
        ))  # fmt: skip
    return text


def _printable(char: str) -> bool:
    code = ord(char)
    return char in "\n\t" or not (code < 32 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 or code & 0xFFFE == 0xFFFE)


def _moment(given: str) -> str:
    moment = datetime.fromisoformat(given)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=SHANGHAI)
    return moment.astimezone(SHANGHAI).isoformat(timespec="minutes")


def _money(given: Any) -> str:
    if isinstance(given, bool) or not isinstance(given, (str, int, float)):
        raise ValueError
    amount = Decimal(str(given))
    if not amount.is_finite() or amount < 0 or amount >= amounts.LARGEST or amount != round(amount, 2):
        raise ValueError
    return f"{amount:.2f}"


def _count(given: Any) -> int:
    if isinstance(given, bool) or isinstance(given, float):
        raise ValueError
    number = int(given)
    if not 0 <= number < 10**9:
        raise ValueError
    return number


def _items(one: DocumentField, given: Any) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not all(isinstance(row, Mapping) for row in given):
        raise _Wrong(Fault(one.id, "bad-list", f"{one.name.zh}：应是清单", f"{one.name.en}: must be a list of rows"))
    if len(given) > MOST_ROWS:
        raise _Wrong(Fault(one.id, "too-many", f"{one.name.zh}：最多 {MOST_ROWS} 项", f"{one.name.en}: at most {MOST_ROWS} rows"))
    rows, faults = [], []
    columns = {column.id: column for column in one.columns}
    for number, row in enumerate(given):
        kept: dict[str, Any] = {}
        for name, value in row.items():
            if name not in columns:
                faults.append(Fault(f"{one.id}.{number}.{str(name)[:40]}", "unknown", "清单没有这一栏", "the list has no such column"))
                continue
            if value is None:
                continue
            try:
                cleaned = _value(columns[name], value, None, f"{one.id}.{number}.{name}")
            except _Wrong as wrong:
                faults += wrong.faults
                continue
            if cleaned != "":
                kept[name] = cleaned
        if kept:
            rows.append(kept)
    if faults:
        raise _Wrong(*faults)
    return rows


def printed(kind: Kind, values: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """Every field as it is printed: texts, and for lists rows of texts; what is not given is empty."""
    return {one.id: _printed(one, values.get(one.id), plan) for one in kind.fields}


def _printed(one: DocumentField | Column, value: Any, plan: Plan | None) -> Any:
    if isinstance(one, DocumentField) and one.type == "items":
        return [
            {"no": str(number)} | {column.id: _printed(column, row.get(column.id), None) for column in one.columns}
            for number, row in enumerate(value or (), 1)
        ]
    if value is None:
        return ""
    if one.type == "date":
        return said_day(date.fromisoformat(value))
    if one.type == "datetime":
        moment = datetime.fromisoformat(value).astimezone(SHANGHAI)
        return f"{said_day(moment.date())}{moment.hour}时{moment.minute:02d}分"
    if one.type == "money":
        return amounts.printed(Decimal(value))
    if isinstance(one, DocumentField) and one.type == "choice":
        return next((option.name.zh for option in one.options if option.id == value), value)
    if one.type == "agency" and plan is not None:
        try:
            return plan.agency(value).name.zh
        except KeyError:
            return value
    return str(value)


def said_day(day: date) -> str:
    """2026年11月23日, as GB/T 9704 dates a document: arabic figures, no leading zeros."""
    return f"{day.year}年{day.month}月{day.day}日"
