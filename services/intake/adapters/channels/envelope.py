"""The one envelope every outside format becomes, and reading fields with an exact complaint about what is wrong."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

import orjson

from shared.kit.clock import CHINA

LONGEST_TEXT = 20_000
_TIMES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y%m%d%H%M%S", "%Y-%m-%d")


class Unreadable(ValueError):
    """The whole body cannot be read as its format; `zh`, `en` say why."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


class WrongField(ValueError):
    """One field of one item is wrong."""

    def __init__(self, field: str, code: str, zh: str, en: str) -> None:
        super().__init__(f"{field}: {en}")
        self.field, self.code, self.zh, self.en = field, code, zh, en


@dataclass(frozen=True, slots=True)
class Handin:
    """One item of an outside system: its number there, who assigned it under which number, and what it says.

    Callers' names, phones and identity numbers that such systems send along are not among the fields: they are
    never read.
    """

    external_ref: str
    text: str
    subject: str = ""
    region: str | None = None
    place: str | None = None
    posted_at: datetime | None = None
    dispatched_by: str | None = None
    dispatch_no: str | None = None


@dataclass(frozen=True, slots=True)
class Wrong:
    """An item that cannot be taken: which field, and why. Nothing of it is kept."""

    external_ref: str | None
    field: str
    code: str
    zh: str
    en: str


class Fields:
    """One item's fields by their outside names."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw

    def text(self, name: str, most: int = 200) -> str | None:
        """A text, trimmed; None when it is empty or missing. WrongField when it is no text or too long."""
        value = self._raw.get(name)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise WrongField(name, "type", "应为文字", "must be a text")
        value = value.strip()
        if len(value) > most:
            raise WrongField(name, "too-long", f"最长 {most} 字", f"at most {most} characters")
        if any(ord(sign) < 32 and sign not in "\t\r\n" for sign in value):
            raise WrongField(name, "characters", "含有控制字符", "holds control characters")
        return value or None

    def need(self, name: str, most: int = 200) -> str:
        """A text that must be there."""
        value = self.text(name, most)
        if value is None:
            raise WrongField(name, "missing", "不能为空", "is missing")
        return value

    def when(self, name: str) -> datetime | None:
        """A moment: ISO 8601, or the forms such systems write, in China's time. WrongField when it is none."""
        value = self.text(name, 40)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            for form in _TIMES:
                try:
                    moment = datetime.strptime(value, form)
                    break
                except ValueError:
                    continue
            else:
                raise WrongField(
                    name, "time", "时间应为 2026-11-20 09:30:00 的形式", "write times as 2026-11-20 09:30:00"
                ) from None
        return moment if moment.tzinfo else moment.replace(tzinfo=CHINA)


def each(items: Iterator[Mapping[str, Any]], number: str, make: Callable[[Fields], Handin]) -> list[Handin | Wrong]:
    """Every item as an envelope, or as what is wrong with it; `number` is the field of its number."""
    made: list[Handin | Wrong] = []
    for raw in items:
        try:
            made.append(make(Fields(raw)))
        except WrongField as error:
            told = raw.get(number)
            known = told.strip()[:120] if isinstance(told, str) and error.field != number else None
            made.append(Wrong(known, error.field, error.code, error.zh, error.en))
    return made


def json_items(body: bytes) -> Iterator[Mapping[str, Any]]:
    """Items of JSON: one object, a list of objects, or `{"records": […]}`. Raises Unreadable."""
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable("不是有效的 JSON", "not valid JSON") from error
    if isinstance(read, dict) and isinstance(read.get("records"), list):
        read = read["records"]
    rows = read if isinstance(read, list) else [read]
    if not all(isinstance(row, dict) for row in rows):
        raise Unreadable("每条应为一个 JSON 对象", "each item must be a JSON object")
    return iter(rows)


def csv_items(body: bytes) -> Iterator[Mapping[str, Any]]:
    """Items of CSV with a head line, in UTF-8 or GB 18030 (as office programs write it). Raises Unreadable."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            decoded = body.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise Unreadable("文字编码应为 UTF-8 或 GB 18030", "must be encoded in UTF-8 or GB 18030")
    if "\0" in decoded:
        raise Unreadable("含有空字符", "holds NUL characters")
    try:
        rows = list(csv.DictReader(io.StringIO(decoded, newline=""), strict=True))
    except csv.Error as error:
        raise Unreadable("不是有效的 CSV", "not valid CSV") from error
    for row in rows:
        row.pop(None, None)  # type: ignore[call-overload]
    return iter(rows)


def xml_items(body: bytes, item: str) -> Iterator[Mapping[str, Any]]:
    """Items of XML: elements named `item`, with their children as fields. Raises Unreadable.

    A document type or an entity declaration is refused unread: they are how XML is made to explode or to look
    elsewhere.
    """
    if b"<!" in body.replace(b"<!--", b"").replace(b"<![CDATA[", b""):
        raise Unreadable("XML 不得含有 DOCTYPE 或实体声明", "XML must not hold a DOCTYPE or entities")
    try:
        root = ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise Unreadable("不是有效的 XML", "not valid XML") from error
    found = [root] if root.tag == item else root.findall(item)
    if not found:
        raise Unreadable(f"没有 {item} 元素", f"there is no {item} element")
    return iter([{child.tag: "".join(child.itertext()) for child in element} for element in found])
