"""Amounts as Chinese documents print them: 50000.00元（人民币伍万元整）."""

from __future__ import annotations

from decimal import Decimal

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿")
LARGEST = Decimal(10) ** 12


def in_words(yuan: Decimal) -> str:
    """An amount of yuan in capital characters (《支付结算办法》 annex 1). ValueError below 0, from 10^12, or with more than two decimals."""
    if yuan < 0 or yuan >= LARGEST or yuan != round(yuan, 2):
        raise ValueError("0 ≤ amount < 10^12, in whole fen")
    fen = int(yuan * 100)
    whole, jiao, rest = fen // 100, fen // 10 % 10, fen % 10
    said = _whole(whole) + "元" if whole or not (jiao or rest) else ""
    if not (jiao or rest):
        return said + "整"
    if jiao:
        said += _DIGITS[jiao] + "角"
    elif whole:
        said += "零"
    return said + (_DIGITS[rest] + "分" if rest else "整")


def _whole(number: int) -> str:
    if number == 0:
        return "零"
    said, group, gap = "", 0, False
    while number:
        number, part = divmod(number, 10_000)
        if part:
            said = _group(part) + _GROUPS[group] + ("零" if gap and said else "") + said
            # a group below 1000, or an empty one, leaves a zero to be said before it
            gap = part < 1000
        else:
            gap = gap or bool(said)
        group += 1
    return said


def _group(part: int) -> str:
    said, zero = "", False
    for place in range(3, -1, -1):
        digit = part // 10**place % 10
        if digit:
            said += ("零" if zero and said else "") + _DIGITS[digit] + _PLACES[place]
            zero = False
        else:
            zero = True
    return said


def printed(yuan: Decimal) -> str:
    """As printed in a decision: figures, then words."""
    return f"{yuan:.2f}元（人民币{in_words(yuan)}）"
