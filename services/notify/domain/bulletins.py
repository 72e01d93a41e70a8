"""Bulletins (通报简讯), situation reports (战况), summaries (总结) and progress reports upward (汇报). Pure.

Compiled from reports and figures, edited, proposed by one person and released by another, numbered without gaps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from services.notify.domain.figures import MEASURES
from shared.rules.plan import Plan


class BulletinState(StrEnum):
    """What was released keeps its number for ever, also when it is recalled."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    ISSUED = "issued"
    RECALLED = "recalled"
    DISCARDED = "discarded"


class BulletinAction(StrEnum):
    """`edit` also takes figures and reports anew."""

    EDIT = "edit"
    PROPOSE = "propose"
    SEND_BACK = "send_back"
    RELEASE = "release"
    RECALL = "recall"
    DISCARD = "discard"


_S, _A = BulletinState, BulletinAction
BULLETIN_TRANSITIONS: dict[tuple[BulletinState, BulletinAction], BulletinState] = {
    (_S.DRAFT, _A.EDIT): _S.DRAFT,
    (_S.DRAFT, _A.PROPOSE): _S.PROPOSED,
    (_S.DRAFT, _A.DISCARD): _S.DISCARDED,
    (_S.PROPOSED, _A.SEND_BACK): _S.DRAFT,
    (_S.PROPOSED, _A.RELEASE): _S.ISSUED,
    (_S.ISSUED, _A.RECALL): _S.RECALLED,
}
"""A pair that is not listed is refused: what was issued is never edited."""

READ_BY_ALL = (_S.ISSUED, _S.RECALLED)
"""States in which members read it; before, only those who edit and release."""


class BulletinRefusedError(ValueError):
    """A bulletin cannot go this way from where it is."""


class SamePersonError(ValueError):
    """Who edited or proposed it may not release it."""


def next_bulletin_state(state: BulletinState, action: BulletinAction) -> BulletinState:
    """The state a bulletin goes to. Raises `BulletinRefusedError`."""
    try:
        return BULLETIN_TRANSITIONS[state, action]
    except KeyError:
        raise BulletinRefusedError(f"a bulletin that is {state} cannot {action}") from None


def check_two_persons(releases: str, *others: str | None) -> None:
    """Raises `SamePersonError` when who releases it is one of those who wrote or proposed it."""
    if releases in others:
        raise SamePersonError(releases)


KINDS: Mapping[str, tuple[str, str]] = {
    "bulletin": ("工作情况通报简讯", "Bulletin"),
    "situation": ("战况报告", "Situation report"),
    "summary": ("工作总结", "Summary"),
    "progress": ("工作进展汇报", "Progress report"),
}
UPWARD = ("situation", "summary", "progress")
"""Kinds that are sent to an agency above the plan (X-D1d, X-R3)."""

MEASURE_WORDS: Mapping[str, str] = {
    "cases_opened": "新立联合案件",
    "cases_joined": "参与联合案件",
    "cases_accepted": "受理案件",
    "cases_closed": "结案",
    "dens_found": "发现窝点",
    "dens_cleared": "清理窝点",
    "dens_sealed": "查封窝点",
    "persons_recorded": "登记涉传人员",
    "persons_disposed": "处置涉传人员",
    "measures": "采取强制措施",
    "penalties": "启动行政处罚",
    "transfers": "移送案件",
    "requests": "协查请求",
    "operations": "联合行动",
    "patrols_done": "完成出租屋巡查",
    "patrols_overdue": "逾期未巡查",
    "agents_visited": "走访中介",
    "venue_findings": "场所检查发现问题",
    "handovers_made": "转交线索",
    "handovers_accepted": "接收转交线索",
    "deadlines_missed": "超时限事项",
}
_UNITS = {
    "cases_opened": "件", "cases_joined": "件次", "cases_accepted": "件次", "cases_closed": "件", "dens_found": "个",
    "dens_cleared": "个", "dens_sealed": "个", "persons_recorded": "人", "persons_disposed": "人次", "measures": "次",
    "penalties": "件", "transfers": "件", "requests": "次", "operations": "次", "patrols_done": "户次", "patrols_overdue": "户次",
    "agents_visited": "家次", "venue_findings": "处", "handovers_made": "件", "handovers_accepted": "件", "deadlines_missed": "项",
}  # fmt: skip
_TOTALS = tuple(measure for measure in MEASURES if measure != "cases_joined")
"""What is said of the whole plan: a case counts there once, not once a party."""
_HEADINGS: Mapping[str, tuple[str, str, str, str, str, str]] = {
    "bulletin": ("总体情况", "主要做法", "取得成果", "存在问题", "意见建议", "报送情况"),
    "situation": ("总体战况", "行动开展情况", "主要战果", "存在问题", "下一步打算", "报送情况"),
    "summary": ("总体情况", "工作做法", "工作成效", "存在问题", "下步打算和建议", "报送情况"),
    "progress": ("总体情况", "工作进展", "取得成效", "存在困难", "请示和建议", "报送情况"),
}
CHART_BARS = 12


@dataclass(frozen=True, slots=True)
class Source:
    """A report as it goes into a bulletin."""

    agency: str
    in_time: bool
    counts: bool
    says: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a bulletin says at first."""

    title: str
    sections: list[dict[str, str]]


def compiled(
    plan: Plan, kind: str, first: date, last: date, total: Mapping[str, int], sources: Sequence[Source],
    missing: Sequence[str],
) -> Compiled:  # fmt: skip
    """The first draft: the figures in a sentence, what each agency wrote, and who reported late or not at all."""
    heads = _HEADINGS[kind]
    says = [
        "\n".join(f"{plan.agency(one.agency).name.zh}：{one.says[field]}" for one in sources if one.says.get(field))
        for field in ("done", "results", "problems", "suggestions")
    ]
    period = said_period(first, last)
    counted = [
        f"{MEASURE_WORDS[measure]}{total[measure]}{_UNITS[measure]}" for measure in _TOTALS if total.get(measure)
    ]
    place = next(area.name.zh for area in plan.areas if area.parent is None)
    overall = f"{period}，{place}各成员单位" + (
        "共" + "，".join(counted) + "。" if counted else "没有新的统计数据。"
    )
    late = dict.fromkeys(plan.agency(one.agency).name.zh for one in sources if one.counts and not one.in_time)
    reported = f"应报{len(sources) + len(missing)}份，已报{len(sources)}份。"
    if late:
        reported += "迟报：" + "、".join(late) + "。"
    if missing:
        reported += "未报：" + "、".join(plan.agency(one).name.zh for one in dict.fromkeys(missing)) + "。"
    bodies = (overall, *(text or "（无）" for text in says), reported)
    title = f"{place}打击传销{KINDS[kind][0]}"
    return Compiled(title, [{"heading": h, "body": b} for h, b in zip(heads, bodies, strict=True)])


def said_day(day: date) -> str:
    """2015年10月15日."""
    return f"{day.year}年{day.month}月{day.day}日"


def said_period(first: date, last: date) -> str:
    """2015年10月15日至10月29日."""
    if first == last:
        return said_day(first)
    end = said_day(last) if last.year != first.year else f"{last.month}月{last.day}日"
    return f"{said_day(first)}至{end}"


def number_of(kind: str, year: int, serial: int) -> str:
    """第3期 of a year for bulletins, 〔2026〕3号 for what goes upward."""
    return f"{year}年第{serial}期" if kind == "bulletin" else f"打传报〔{year}〕{serial}号"


_DIGITS = "〇一二三四五六七八九十"


def numeral(n: int) -> str:
    """一 to 二十: sections of official documents are numbered so."""
    return _DIGITS[n] if n <= 10 else ("十" if n < 20 else "二十") + (_DIGITS[n % 10] if n % 10 else "")


def charts_of(plan: Plan, figures: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The pictures of a bulletin: its counts, and its cases by area; only bars that are not nothing."""
    total, by_area = figures["total"], figures["by_area"]
    counts = [[MEASURE_WORDS[measure], total[measure]] for measure in _TOTALS if total.get(measure)][:CHART_BARS]
    names = {area.id: area.name.zh for area in plan.areas}
    areas = sorted(
        ((names.get(area, area), of.get("cases_opened", 0)) for area, of in by_area.items()),
        key=lambda bar: (-bar[1], bar[0]),
    )
    return {
        "chart_counts": {"title": "主要数据", "bars": counts or [["没有数据", 0]]},
        "chart_areas": {
            "title": "各社区新立联合案件", "bars": [list(bar) for bar in areas if bar[1]][:CHART_BARS] or [["没有数据", 0]],
        },
    }  # fmt: skip


def printed(plan: Plan, row: Mapping[str, Any], contents: Mapping[str, Any], issued: date | None) -> dict[str, Any]:
    """What the Word template is filled with."""
    figures = row["figures"]
    to = next((agency.name.zh for agency in plan.agencies if agency.id == row["to_agency"]), "")
    return {
        "issuer": plan.office_body.name.zh,
        "title": contents["title"],
        "number": row["number"] or "（编号待定）",
        "period": said_period(row["first_day"], row["last_day"]),
        "to": f"{to}：" if to else "各成员单位：",
        "sections": [
            {"heading": f"{numeral(n)}、{one['heading']}", "body": one["body"]}
            for n, one in enumerate(contents["sections"], 1)
        ],
        "rows": [
            {"word": MEASURE_WORDS[measure], "number": f"{figures['total'][measure]}{_UNITS[measure]}"}
            for measure in _TOTALS
            if figures["total"].get(measure)
        ],
        "issued_on": said_day(issued) if issued else "（签发日期待定）",
        "position": f"{row['position']}",
        "check_code": row["digest"][:16],
    }
