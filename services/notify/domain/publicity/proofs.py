"""What proves that a thing was done: the kind of the campaign says which files, links and numbers it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from shared.rules.plan.publicity import CampaignKind, PublicityRules

MOST = 100_000_000
"""More people, pieces or messages than this is a slip of the pen."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A field that is missing or wrong, with the reason in Chinese and English."""

    field: str
    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a thing that was done; `photos` and `documents` count the files."""

    done_on: date
    photos: int = 0
    documents: int = 0
    link: str = ""
    reached: int | None = None
    figures: Mapping[str, int] | None = None
    groups: Sequence[str] = ()
    material: str | None = None


def check(rules: PublicityRules, kind: CampaignKind, told: Told, first: date, today: date) -> list[Wrong]:
    """What is missing or wrong; nothing: it is proved."""
    wrong: list[Wrong] = []
    if told.done_on > today:
        wrong.append(Wrong("done_on", "in-the-future", "日期不能晚于今天", "the day lies ahead"))
    elif told.done_on < first:
        wrong.append(Wrong("done_on", "before-the-round", f"这一期从 {first} 开始", f"this round begins on {first}"))
    given = {"photo": told.photos > 0, "document": told.documents > 0, "link": bool(told.link)}
    words = {"photo": ("照片", "a photo"), "document": ("文件", "a document"), "link": ("链接", "a link")}
    for proof in kind.needs:
        if not given[proof]:
            zh, en = words[proof]
            wrong.append(Wrong(proof, "proof-missing", f"缺少证明：{zh}", f"the proof is missing: {en}"))
    if kind.one_of and not any(given[proof] for proof in kind.one_of):
        zh = "、".join(words[proof][0] for proof in kind.one_of)
        en = " or ".join(words[proof][1] for proof in kind.one_of)
        wrong.append(Wrong(kind.one_of[0], "proof-missing", f"要有其中一样：{zh}", f"one of these is needed: {en}"))
    if told.link and not _is_address(told.link):
        wrong.append(Wrong("link", "bad-link", "链接要以 http:// 或 https:// 开头", "a link begins with http:// or https://"))
    if kind.reach and told.reached is None:
        wrong.append(Wrong("reached", "reach-missing", "请填覆盖人数", "say how many people it reached"))
    if told.reached is not None and not 0 <= told.reached <= MOST:
        wrong.append(Wrong("reached", "bad-number", "人数不对", "that number of people cannot be"))
    wrong += _figures(kind, told.figures or {})
    known = {group.id for group in rules.groups}
    if any(group not in known for group in told.groups):
        wrong.append(Wrong("groups", "unknown-group", "方案没有这类人群", "the plan has no such group"))
    elif kind.groups and not told.groups:
        wrong.append(Wrong("groups", "groups-missing", "请选择面向的人群", "say which groups it was for"))
    return wrong


def _figures(kind: CampaignKind, given: Mapping[str, int]) -> list[Wrong]:
    wrong: list[Wrong] = []
    known = {figure.id: figure for figure in kind.figures}
    for name, number in given.items():
        if name not in known:
            wrong.append(Wrong(f"figures.{name}", "unknown-figure", "没有这一项数字", "there is no such figure"))
        elif not 0 <= number <= MOST:
            wrong.append(Wrong(f"figures.{name}", "bad-number", "数字不对", "that number cannot be"))
    for figure in kind.figures:
        if figure.required and figure.id not in given:
            wrong.append(
                Wrong(f"figures.{figure.id}", "figure-missing", f"请填{figure.name.zh}", f"say: {figure.name.en}")
            )
        bound = figure.at_most
        if bound and figure.id in given and bound in given and given[figure.id] > given[bound]:
            wrong.append(
                Wrong(
                    f"figures.{figure.id}", "over-bound", f"{figure.name.zh}不能多于{known[bound].name.zh}",
                    f"{figure.name.en} cannot be more than {known[bound].name.en}",
                )
            )
    return wrong


def _is_address(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and len(link) <= 500 and not parts.username
