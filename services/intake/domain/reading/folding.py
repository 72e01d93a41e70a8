"""Folding how characters are written: full width, capitals, traditional, 火星文."""

import tomllib
from importlib.resources import files

_DATA = files(__package__) / "lexicon"


def load(name: str) -> dict:
    """The data file `name` of the lexicon."""
    return tomllib.loads((_DATA / f"{name}.toml").read_text(encoding="utf-8"))


def _table() -> dict[str, str]:
    data = load("script")
    pairs = dict(zip(data["traditional"].replace("\n", ""), data["simplified"].replace("\n", ""), strict=True))
    pairs.update(zip(data["odd"], data["plain"], strict=True))
    pairs.update({chr(0xFF01 + i): chr(0x21 + i) for i in range(94)})  # full width
    for kept in "，！？；：（）":  # sentence marks stay what they are: patterns know both forms
        pairs.pop(kept)
    pairs.update({chr(0x24B6 + i): chr(0x61 + i) for i in range(26)})  # Ⓐ
    pairs.update({chr(0x24D0 + i): chr(0x61 + i) for i in range(26)})  # ⓐ
    for first, start in ((0x2460, 1), (0x2776, 1), (0x278A, 1)):  # ① ❶ ➊
        pairs.update({chr(first + i): str(start + i) for i in range(9)})
    pairs.update({chr(0x1D7CE + i): str(i % 10) for i in range(50)})  # 𝟎
    pairs.update({chr(0xFF21 + i): chr(0x61 + i) for i in range(26)})
    pairs.update({chr(0x41 + i): chr(0x61 + i) for i in range(26)})
    pairs.update({"\u3000": " ", "\n": "。", "\r": " ", "\t": " ", "\x00": " ", "－": "-", "—": "-", "–": "-"})
    return pairs


_INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufe0f\ufeff"
_SIGNS = "".join(map(chr, (*range(0x2600, 0x27C0), *range(0x1F000, 0x1FB00))))
"""Dingbats and emoji: a gap, like any other mark put between two characters to pass a filter."""
_FOLD = dict.fromkeys(_SIGNS, " ") | _table() | dict.fromkeys(_INVISIBLE, "")
_FOLDED = frozenset(_FOLD)


def fold(text: str) -> str:
    """`text` with every character in its plain form; invisible characters are dropped.

    Replacing the few characters that occur beats a translation table four times over on real messages.

    >>> fold("１０栋傳銷ＡＰＰ")
    '10栋传销app'
    """
    for char in _FOLDED.intersection(text):
        text = text.replace(char, _FOLD[char])
    return text
