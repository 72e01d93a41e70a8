"""The public warnings as feeds and as the public's JSON: the same rows as the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode

from services.notify.adapters.feeds import Edition, FeedEntry, FeedHead
from services.notify.queries.public_warnings import PublicWarning
from services.notify.schemas.public_warnings import PublicWarningOut, PublicWarningVersionOut
from shared.kit.problem import NotFound
from shared.rules.plan import Plan

KINDS = {"warning": ("警示", "Warning"), "reminder": ("提示", "Reminder"), "exposed_case": ("典型案例", "Exposed case")}
REASONS = {
    "mistaken": ("内容有误", "it held a mistake"),
    "outdated": ("情况已变化", "it no longer holds"),
    "privacy": ("涉及个人信息", "it touched on personal data"),
    "court": ("依照司法机关的决定", "by decision of a court or procurator"),
    "superior": ("按上级要求", "a superior asked for it"),
}
"""Why a warning was recalled, Chinese and English."""


def chosen(plans: Mapping[str, Plan], plan: str | None, area: str | None) -> tuple[Plan | None, list[str]]:
    """The plan and the areas that were asked for: an area with those around it. NotFound for unknown ones."""
    if plan is None and len(plans) == 1:
        plan = next(iter(plans))
    one = plans.get(plan or "")
    if (plan is not None and one is None) or (area and (one is None or area not in {a.id for a in one.areas})):
        raise NotFound("没有这个地区。 There is no such place here.", code="area-not-found")
    if not area or one is None:
        return one, []
    return one, [other.id for other in one.areas if one.within(area, other.id)]


def issuer(plans: Mapping[str, Plan], warning: PublicWarning) -> str:
    """Whose warning it is, in words."""
    plan = plans.get(warning.plan)
    if plan is None:
        return ""
    return f"{plan.office_body.name.zh} {plan.agency(warning.agency).name.zh}" if warning.agency in _ids(plan) else plan.office_body.name.zh


def _ids(plan: Plan) -> set[str]:
    return {agency.id for agency in plan.agencies}


def page_address(base: str, warning: PublicWarning) -> str:
    """The page of a warning."""
    return f"{base}/public/warnings/{warning.id}"


def head(base: str, ending: str, plan: Plan | None, area: str | None, found: Sequence[PublicWarning]) -> FeedHead:
    """The feed's own facts."""
    title = plan.publicity.warnings.title.zh if plan else "打击传销警示"
    asked = {name: value for name, value in (("plan", plan.id if plan else None), ("area", area)) if value}
    query = f"?{urlencode(asked)}" if asked else ""
    updated = max((one.updated_at for one in found), default=datetime(2005, 11, 1, tzinfo=UTC))
    return FeedHead(title, f"{base}/public/warnings.{ending}{query}", f"{base}/public/warnings{query}", updated)


def entry(base: str, plans: Mapping[str, Plan], warning: PublicWarning) -> FeedEntry:
    """A warning in a feed; a recalled one stays there and says so."""
    last = warning.last
    title, text = last.title, last.body
    if warning.recalled:
        title = f"（已撤回）{last.title or warning.number}"
        text = f"{warning.number} 已于 {last.recalled_at:%Y-%m-%d} 撤回：{REASONS.get(last.reason or '', ('', ''))[0]}。{last.statement}"
    return FeedEntry(
        str(warning.id), title, text, page_address(base, warning), issuer(plans, warning), KINDS[warning.kind][0],
        warning.published_at, warning.updated_at, warning.recalled,
        tuple(Edition(one.number, one.published_at, one.recalled_at) for one in warning.versions),
    )  # fmt: skip


def public_out(base: str, plans: Mapping[str, Plan], warning: PublicWarning) -> PublicWarningOut:
    """A warning as JSON for anybody."""
    return PublicWarningOut(
        warning_id=warning.id, plan=warning.plan, kind=warning.kind, number=warning.number,  # type: ignore[arg-type]
        issuer=issuer(plans, warning), recalled=warning.recalled, published_at=warning.published_at,
        updated_at=warning.updated_at, href=page_address(base, warning),
        versions=[
            PublicWarningVersionOut(
                number=one.number, title=one.title, body=one.body, areas=list(one.areas), published_at=one.published_at,
                recalled_at=one.recalled_at, recall_reason=one.reason, recall_statement=one.statement,
            )
            for one in warning.versions
        ],
    )  # fmt: skip
