"""Numbers as people write them: 10, 十, 二十一, 6.98万, 三万八, 上百."""

import re

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0, "幺": 1, "俩": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000, "w": 10_000, "k": 1000}
_RANGES = frozenset("一二 两三 二三 三四 三五 四五 五六 六七 七八 八九".split())
"""六七个: six or seven, never 67."""
_VAGUE = {"几": 2, "数": 2, "好几": 3, "上": 1, "近": 1, "好": 1}


def to_int(written: str) -> int | None:
    """The whole number `written` means, a lower bound when vague (几十 is 20, 上百 is 100, 二三十 is 20), else None.

    >>> to_int("二十一"), to_int("上百"), to_int("几十"), to_int("一八零六"), to_int("三万八")
    (21, 100, 20, 1806, 38000)
    """
    text = written.strip().rstrip("多来余个").replace(",", "")
    if not text or len(text) > 16:
        return None
    if text.isascii():
        try:
            return int(float(text)) if len(text) < 13 else None
        except ValueError:
            return None
    if len(text) == 2 and text in _RANGES:
        return _DIGITS[text[0]]
    if all(char in _DIGITS for char in text):
        return int("".join(str(_DIGITS[char]) for char in text))
    total = section = 0
    current: float | None = None
    last = 1
    number = re.match(r"\d+(?:\.\d+)?", text)
    if number:
        current, text = float(number[0]), text[number.end() :]
    for char in text:
        if char in _DIGITS:
            if current is None or _DIGITS[char] != current + 1:
                current = _DIGITS[char]
        elif char in _VAGUE:
            current = _VAGUE[char]
        elif char in _UNITS:
            last = _UNITS[char]
            if last >= 10_000:
                total += int((section + (current if current is not None else (0 if section else 1))) * last)
                section = 0
            else:
                section += int((1 if current is None else current) * last)
            current = None
        elif char.isdigit() and char.isascii():
            current = int(char) if current is None else current * 10 + int(char)
        else:
            return None
    if current:
        section += int(current * last // 10) if last >= 100 and current < 10 else int(current)
    return total + section


def short_number(written: str) -> str:
    """A house, floor or room number in ASCII (十 becomes 10, 一八零六 becomes 1806), letters kept.

    >>> short_number("十二"), short_number("a3"), short_number("08")
    ('12', 'a3', '8')
    """
    text = written.strip("- 第")
    if text.isascii():
        return text.lstrip("0") if text.isdigit() else text
    value = to_int(text)
    return str(value) if value is not None else text
