"""The fields of a step: what was sent, checked and brought into its plain form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from services.casework.domain.procedures import FieldRule
from services.casework.domain.proceedings.parts import Ground, Incomplete, agencies_of
from shared.rules import deadlines

LONGEST_TEXT = 20_000
AHEAD = timedelta(minutes=5)
"""How far another machine's clock may be ahead of ours."""


def values_of(
    rules: Mapping[str, FieldRule], values: Mapping[str, Any], ground: Ground, *, lenient: bool = False
) -> tuple[dict[str, Any], dict[str, str]]:
    """The facts and the prose among what was sent, each in its plain form. Raises `Incomplete`."""
    wrong: dict[str, str] = {}
    given: dict[str, Any] = {}
    words: dict[str, str] = {}
    for name in values.keys() - rules.keys():
        wrong[name] = "没有这一项 / there is no such field"
    for name, rule in rules.items():
        value = values.get(name)
        if rule.derived:
            if value not in (None, ""):
                wrong[name] = "这一项由系统得出，不用填 / this is worked out, not typed in"
            continue
        if value is None or value == "" or value == []:
            if rule.required and not lenient:
                wrong[name] = f"请填写{rule.name.zh} / {rule.name.en} is missing"
            continue
        try:
            if rule.many:
                items = value if isinstance(value, list) else [value]
                if len(items) > 500:
                    raise ValueError("最多 500 项 / at most 500")
                plain: Any = [_plain(rule, one, ground) for one in items]
            else:
                plain = _plain(rule, value, ground)
        except (ValueError, TypeError, InvalidOperation) as error:
            wrong[name] = str(error) if "/" in str(error) else "格式不对 / not a value of this kind"
            continue
        if rule.type == "text":
            words[name] = plain
        else:
            given[name] = plain
    if wrong:
        raise Incomplete(wrong)
    return given, words


def _plain(rule: FieldRule, value: Any, ground: Ground) -> Any:
    if rule.type == "bool":
        said = {"true": True, "on": True, "1": True, "false": False, "0": False}.get(str(value).lower())
        return said if said is not None else _wrong("是或否 / yes or no")
    if rule.type == "int":
        if isinstance(value, bool) or (isinstance(value, float) and value != int(value)):
            _wrong("请填整数 / a whole number")
        number = int(str(value).strip()) if not isinstance(value, int) else value
        _in_range(rule, Decimal(number), ground)
        return number
    if rule.type == "yuan":
        amount = Decimal(str(value).strip())
        if not amount.is_finite() or abs(amount) >= Decimal(10) ** 15 or amount != amount.quantize(Decimal("0.01")):
            _wrong("金额以元计，最多两位小数 / yuan with at most two decimals")
        _in_range(rule, amount, ground, least=Decimal(0))
        return str(amount.quantize(Decimal("0.01")))
    if rule.type in ("date", "datetime"):
        return _moment(rule, str(value).strip(), ground)
    text = str(value).strip() if isinstance(value, (str, UUID)) else _wrong("请填文字 / text")
    if "\0" in text:
        _wrong("有不能保存的字符 / a character that cannot be kept")
    if rule.type == "text":
        if len(text) > LONGEST_TEXT:
            _wrong(f"最多 {LONGEST_TEXT} 字 / at most {LONGEST_TEXT} characters")
        return text
    if rule.type == "code":
        if text not in rule.choices:
            _wrong(f"请从所列选项中选择：{'、'.join(rule.choices)} / one of {', '.join(rule.choices)}")
        return text
    if rule.type == "agency":
        kind = next((agency.kind for agency in ground.plan.agencies if agency.id == text), None)
        if kind is None:
            _wrong("方案中没有这个单位 / no such agency in the plan")
        if rule.kinds and kind not in rule.kinds:
            may = "、".join(agencies_of(ground.plan, rule.kinds)) or "（方案中没有）"
            _wrong(f"应是：{may} / an agency of kind {', '.join(rule.kinds)}")
        return text
    if rule.type == "area":
        if text not in {area.id for area in ground.plan.areas}:
            _wrong("方案中没有这个地区 / no such area in the plan")
        return text
    if rule.type in ("object", "place"):
        return str(UUID(text))
    if len(text) > 80:
        _wrong("最多 80 字 / at most 80 characters")
    return text


def _wrong(what: str) -> Any:
    raise ValueError(what)


def _in_range(rule: FieldRule, value: Decimal, ground: Ground, least: Decimal | None = None) -> None:
    low = Decimal(rule.at_least) if rule.at_least is not None else least
    high = Decimal(rule.at_most) if rule.at_most is not None else None
    if rule.limit is not None:
        limit = ground.limit(rule.limit).limit
        low = Decimal(str(limit.at_least)) if limit.at_least is not None else low
        high = Decimal(str(limit.at_most)) if limit.at_most is not None else high
    if low is not None and value < low:
        _wrong(f"不能少于 {low} / not below {low}")
    if high is not None and value > high:
        _wrong(f"不能多于 {high} / not above {high}")


def _moment(rule: FieldRule, text: str, ground: Ground) -> str:
    if rule.type == "date":
        day = date.fromisoformat(text)
        if day.year < 1949:
            _wrong("日期太早 / too early")
        if rule.past and day > ground.day:
            _wrong("日期不能晚于今天 / not later than today")
        return day.isoformat()
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        at = at.replace(tzinfo=deadlines.SHANGHAI)
    if at.year < 1949:
        _wrong("时间太早 / too early")
    if rule.past and at > ground.now + AHEAD:
        _wrong("时间不能晚于现在 / not later than now")
    return at.isoformat()
