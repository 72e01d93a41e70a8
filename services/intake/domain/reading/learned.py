"""A second opinion on wording: how much a message is worded like those known to be about pyramid selling.

A linear model over pairs of characters, learned from the invented messages of the tests (`lexicon/learned.txt` holds a pair and its
weight a line, so that a change can be read). It is asked only where the lexicon finds some sign and not enough of them.
"""

from array import array
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from itertools import pairwise
from math import exp, sqrt

_BUCKETS = 1 << 18
"""A table of bytes by pair: a dictionary would cost the service eight times its memory. Three pairs in a hundred meet another one."""
SCALE = 32
"""Steps of the stored weights per unit of log-odds."""
_MARKS = frozenset(map(ord, " 。，！？、；：,!?;:.()（）“”\"'《》【】…-—~"))
_TELLING = 12
_MOST = 5


def _bucket(one: int, other: int) -> int:
    return (one * 40503 + other * 7919) % _BUCKETS


def pairs(text: str) -> set[int]:
    """The distinct pairs of neighbouring characters of a folded text, none across a mark, each as a bucket."""
    codes = array("H", text.encode("utf-16-le", "replace"))
    return {
        _bucket(one, other)
        for one, other in pairwise(codes)
        if one not in _MARKS and other not in _MARKS
    }


def parsed(lines: Iterable[str]) -> tuple[array, float]:
    """Table and bias from the lines of `learned.txt`."""
    table = array("b", bytes(_BUCKETS))
    bias = 0.0
    for line in lines:
        if line.startswith("#"):
            continue
        pair, _, weight = line.partition("\t")
        if len(pair) == 2:
            table[_bucket(ord(pair[0]), ord(pair[1]))] = int(weight)
        else:
            bias = int(weight) / SCALE
    return table, bias


@cache
def weights() -> tuple[array, float]:
    """Table and bias of this version of the code."""
    file = files(__package__) / "lexicon" / "learned.txt"
    return parsed(file.read_text(encoding="utf-8").splitlines())


def likeness(text: str) -> float:
    """Between 0 and 1: how surely a folded text is worded like a report of pyramid selling."""
    table, bias = weights()
    met = [weight for pair in pairs(text) if (weight := table[pair])]
    return 1 / (1 + exp(-bias - sum(met) / SCALE / sqrt(len(met)))) if met else 0.0


def telling(text: str) -> tuple[str, ...]:
    """The words of a folded text that weigh most, for the reader."""
    table, _ = weights()
    runs: dict[str, int] = {}
    begin, sum_of_run = None, 0
    for place in range(len(text)):
        one, other = (ord(char) for char in text[place : place + 2].ljust(2))
        inner = one not in _MARKS and other not in _MARKS and one < 65536 and other < 65536
        weight = table[_bucket(one, other)] if inner else 0
        if weight >= _TELLING:
            begin = place if begin is None else begin
            sum_of_run += weight
        elif begin is not None:
            runs[text[begin : place + 1]] = sum_of_run
            begin, sum_of_run = None, 0
    # three characters say more to a reader than the pairs of which everything is made
    best = sorted(runs, key=lambda words: (len(words) < 3, -runs[words]))[:_MOST]
    return tuple(best)
