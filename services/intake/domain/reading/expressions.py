"""Bounded expressions over folded text: numbers, amounts, and several patterns tried in turn."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick, Implementation

_N = "一二两三四五六七八九十百千万几数好上近"
_NUMERALS = frozenset("0123456789" + _N)
_VALUE = "一二三四五六七八九"
NUMBER = rf"[\d{_N}][\d.{_N}]{{0,7}}+[多几来余]?"
_AMOUNT = rf"[\d一二两三四五六七八九十几数好上近][\d.,{_N}]{{0,11}}+[多几来余]?+个?+"
_UNIT = rf"元|块|万|亿|[千百](?!人|名|户)|w|k|¥|rmb|人民币|(?<=[万千百])(?!人|名|户|个|多)|(?<=[万千百][\d{_VALUE}])(?!人|名|户|个)"
_REST = rf"(?:[{_VALUE}\d](?!\d)|元|块|多|几|人民币){{0,4}}+"
MONEY = rf"{_AMOUNT}(?:{_UNIT}){_REST}"
PRICE = rf"{_AMOUNT}(?:{_UNIT}|(?<=\d\d\d)(?![\d年号栋幢室人名路米天楼])){_REST}"


@dataclass(frozen=True, slots=True)
class Expressions:
    """Several expressions tried one after the other.

    Kept apart and not joined by `|`: alone, each lets the engine skip to its first character, which is ten times faster.
    """

    each: tuple[re.Pattern[str], ...]

    def search(self, text: str) -> re.Match[str] | None:
        """The first match of the first expression that has one."""
        for one in self.each:
            if found := one.search(text):
                return found
        return None

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """All matches, expression by expression."""
        for one in self.each:
            yield from one.finditer(text)


def compiled(*expressions: str) -> Expressions:
    """Expressions of the data files; N is any number, M any amount of money, P an amount or a bare price."""
    return Expressions(tuple(re.compile(_expanded(one)) for one in expressions))


def _expanded(expression: str) -> str:
    kinds = {"N": NUMBER, "M": MONEY, "P": PRICE}
    return re.sub(r"(?<![A-Za-z\\])([NMP])(?![A-Za-z])", lambda found: kinds[found[1]], expression)


class Anchored:
    """Many expressions, each tried only where one of the words stands that it can begin with.

    One pass of an automaton over those words replaces a search per expression. An expression must therefore begin with literal
    words: `拉…`, `(?:拉|推荐)…`, or a number (N, M, P). Raises ValueError for one that does not.
    """

    __slots__ = ("_automaton", "_codes", "_patterns", "_tried")

    def __init__(self, expressions: Sequence[tuple[str, str]]) -> None:
        begins: dict[str, list[int]] = {}
        for number, (_, expression) in enumerate(expressions):
            for word in leads(expression):
                begins.setdefault(word, []).append(number)
        self._codes = [code for code, _ in expressions]
        self._patterns = [re.compile(_expanded(expression)).match for _, expression in expressions]
        self._automaton = AhoCorasick(list(begins), implementation=Implementation.ContiguousNFA)
        self._tried = [tuple(numbers) for numbers in begins.values()]

    def matches(self, text: str) -> Iterator[tuple[str, re.Match[str]]]:
        """Code and match of every expression that fits, none overlapping itself, in the order in which they begin."""
        ends: dict[int, int] = {}
        patterns, tried, codes = self._patterns, self._tried, self._codes
        for word, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            if end - start == 1 and start and text[start] in _NUMERALS and text[start - 1] in _NUMERALS:
                continue  # inside a number
            for number in tried[word]:
                found = patterns[number](text, start)
                if found and ends.get(number, 0) <= start:
                    ends[number] = found.end()
                    yield codes[number], found

    def first(self, text: str) -> str | None:
        """The code of the first expression, in the order given, that fits anywhere."""
        best = len(self._codes)
        for word, start, _ in self._automaton.find_matches_as_indexes(text, overlapping=True):
            for number in self._tried[word]:
                if number < best and self._patterns[number](text, start):
                    best = number
        return self._codes[best] if best < len(self._codes) else None


_META = frozenset(".^$*+?{}[]()|\\")


def leads(expression: str) -> tuple[str, ...]:
    """The literal words an expression can begin with.

    >>> leads("(?:拉|推荐了?)[^。]{0,3}人"), leads("被关")
    (('拉', '推荐'), ('被关',))
    """
    if expression[0] in "NMP":
        return tuple(_N + "0123456789")
    if expression.startswith("(?:"):
        depth, end = 1, 3
        while depth:
            depth += {"(": 1, ")": -1}.get(expression[end], 0)
            end += 1
        inner, after = expression[3 : end - 1], expression[end : end + 1]
        if after in ("?", "*", "{"):
            raise ValueError(f"expression may not begin with something optional: {expression}")
        return tuple(dict.fromkeys(word for one in _split(inner) for word in leads(one)))
    word = ""
    for char in expression:
        if char in _META:
            if char in "?*{":
                word = word[:-1]
            break
        word += char
    if not word:
        raise ValueError(f"expression must begin with words: {expression}")
    return (word,)


def _split(inner: str) -> list[str]:
    parts, depth = [""], 0
    for char in inner:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return parts
