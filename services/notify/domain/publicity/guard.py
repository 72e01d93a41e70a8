"""What may not stand in a public text: numbers and contacts of persons. The refusal says where, never what.

Published lines (服务热线) pass: numbers of 3 to 6 digits, and those that the plan lists.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from stdnum import luhn

WORDS = {
    "identity": ("身份证号码", "an identity number"),
    "mobile": ("手机号码", "a mobile number"),
    "landline": ("个人或单位电话（未列入公布的热线）", "a telephone number that is no published line"),
    "card": ("银行卡号", "a bank card number"),
    "email": ("电子邮箱", "an e-mail address"),
    "account": ("QQ 或微信号", "a QQ or WeChat account"),
    "plate": ("车牌号", "a number plate"),
}
"""Kinds of what is refused, Chinese and English."""

_NUMERALS = str.maketrans("〇零一二三四五六七八九幺两", "0012345678912")
_SPOKEN = re.compile(r"[〇零一二三四五六七八九幺两]{7,}")
_GAP = r"[ \-–—·.]?"
_IDENTITY_18 = re.compile(rf"(?<!\d)\d{{6}}{_GAP}(\d{{8}}){_GAP}\d{{3}}[\dXx](?![\dXx])")
_IDENTITY_15 = re.compile(r"(?<!\d)\d{6}(\d{6})\d{3}(?!\d)")
_MOBILE = re.compile(rf"(?<!\d)(?:(?:\+|00)?86{_GAP})?1[3-9](?:{_GAP}\d){{9}}(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)[(]?(0\d{2,3})[)]?[ \-–—]{0,2}(\d{7,8}|\d{3,4}[ \-]\d{4})(?!\d)")
_NAMED_LINE = re.compile(r"(?:电话|致电|拨打|联系|热线|tel|phone|call)[^\d\n]{0,8}(\d{3,4}[ \-]?\d{4})(?!\d)", re.IGNORECASE)
_CARD = re.compile(r"(?<!\d)(?:\d{16,19}|\d{4}(?:[ \-]\d{4}){3}(?:[ \-]?\d{1,3})?)(?!\d)")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_ACCOUNT = re.compile(r"(?:QQ|微信|wechat)(?:号|号码|账号)?\s?[:：]?\s?[A-Za-z0-9_-]{5,20}(?![A-Za-z0-9_-])", re.IGNORECASE)
_PLATE = re.compile(r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·. ]?[A-HJ-NP-Z0-9]{5,6}(?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True)
class Found:
    """Something that may not be public: its kind, and the line of the text (from 1) it stands in."""

    kind: str
    line: int


def personal(text: str, hotlines: Iterable[str] = ()) -> list[Found]:
    """What a text holds that may not be public, in the order of its lines; nothing: it may."""
    allowed = {_digits(number) for number in hotlines}
    found: list[Found] = []
    for number, line in enumerate(text.splitlines() or [text], 1):
        folded = unicodedata.normalize("NFKC", line)
        spoken = _SPOKEN.sub(lambda match: match.group().translate(_NUMERALS), folded)
        for kind in _kinds(spoken, allowed):
            found.append(Found(kind, number))
    return found


def _kinds(line: str, allowed: set[str]) -> list[str]:
    kinds: list[str] = []

    def take(kind: str, pattern: re.Pattern[str], fits: bool = True) -> None:
        nonlocal line
        if fits and kind not in kinds:
            kinds.append(kind)
        line = pattern.sub("", line) if fits else line

    for pattern, start in ((_IDENTITY_18, "%Y%m%d"), (_IDENTITY_15, "%y%m%d")):
        match = pattern.search(line)
        if match and _is_day(match.group(1), start):
            take("identity", pattern)
    if any(luhn.is_valid(_digits(match.group())) for match in _CARD.finditer(line)):
        take("card", _CARD)
    for kind, pattern in (("mobile", _MOBILE), ("landline", _LANDLINE), ("landline", _NAMED_LINE)):
        if any(_number(match) not in allowed for match in pattern.finditer(line)):
            take(kind, pattern)
    for kind, pattern in (("email", _EMAIL), ("account", _ACCOUNT), ("plate", _PLATE)):
        if pattern.search(line):
            take(kind, pattern)
    return kinds


def _number(match: re.Match[str]) -> str:
    return _digits("".join(match.groups()) if match.groups() else match.group())


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _is_day(text: str, form: str) -> bool:
    year = int(text[:4]) if form == "%Y%m%d" else 1900 + int(text[:2])
    month, day = (int(text[4:6]), int(text[6:8])) if form == "%Y%m%d" else (int(text[2:4]), int(text[4:6]))
    try:
        return 1900 <= date(year, month, day).year <= 2100
    except ValueError:
        return False
