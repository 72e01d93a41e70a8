"""Codes that plans, readers and services share. A code that is not here is a mistake in the plan."""

from __future__ import annotations

from enum import StrEnum

TIP_KINDS = (
    "headcount", "entry_fee", "downline_sales", "health_products", "internet", "gathering", "confinement",
    "recruiting", "unspecified",
)
"""What a tip shows: 拉人头, 入门费, 团队计酬, 保健品推销, 网络传销, 聚集, 非法拘禁, 招募诱骗, 未说明."""

KIND_NAMES = {
    "headcount": ("拉人头", "headcount pay"),
    "entry_fee": ("入门费", "entry fee"),
    "downline_sales": ("团队计酬", "downline-sales pay"),
    "health_products": ("推销保健品", "health-product selling"),
    "internet": ("网络传销", "on the internet"),
    "gathering": ("聚集", "gathering"),
    "confinement": ("限制人身自由", "confinement"),
    "recruiting": ("招募诱骗", "recruiting"),
    "unspecified": ("未说明", "unspecified"),
}
"""Tip kinds in words, Chinese and English."""

REFERRAL_TOPICS = (
    "housing", "labour", "transport", "environment", "urban_management", "education", "health", "social_security",
    "finance_fraud", "consumer", "rural", "public_security", "government_conduct", "other",
)
"""Where a message belongs that is not about pyramid selling."""

CHANNELS = (
    "web", "operator", "hotline", "visit", "letter", "message-board", "110", "12315", "12345", "petition", "higher",
    "neighbour", "net-patrol", "patrol", "liaison", "media", "telecom", "import",
)
"""The ways a tip comes in."""

AGENCY_KINDS = (
    "police", "commerce", "office", "civil_affairs", "food_drug", "transport", "propaganda", "education", "labour",
    "finance", "rental_mgmt", "politics_law", "justice", "urban_mgmt", "community", "social_affairs", "party_office",
    "economy", "government", "telecom", "higher_office", "higher_police", "procuratorate", "court", "discipline",
    "organisation",
)

RIGHTS = (
    "tip.submit", "tip.read", "tip.triage", "tip.elsewhere", "lead.read", "case.read", "case.accept", "case.close", "notice.read", "notice.sign",
    "handover.read", "handover.propose", "handover.answer", "handover.decide", "lead.decide", "lead.join", "lead.verify",
    "reward.read", "reward.propose", "reward.pay", "reward.disburse", "fund.read", "fund.manage", "retention.hold",
    "rulebook.draft", "rulebook.publish",
    "consequence.read", "consequence.propose", "consequence.decide", "consequence.answer",
    "finding.read", "finding.decide", "finding.answer", "finding.appeal",
    "score.read", "feed.read", "period.close", "trace.read", "ops.read", "ops.dlq", "directory.manage", "directory.approve", "post.manage", "plan.read",
    "rental.read", "rental.manage", "rental.personal", "venue.read", "venue.manage", "patrol.do", "patrol.manage",
    "survey.read", "survey.manage",
    "proceeding.read", "proceeding.act", "proceeding.coordinate", "criminal.read", "operation.read", "operation.act",
    "supervision.open",
    "document.read", "document.draft", "document.issue", "document.register",
    "downline.read", "downline.edit",
    "certificate.read", "certificate.apply", "certificate.inspect", "certificate.decide",
    "file.original", "tip.ask", "outcome.review", "reporter.request", "reporter.reveal",
    "person.read", "person.record", "person.merge", "person.enter", "place.read", "place.record", "revisit.do",
    "recurrence.read", "webhook.manage",
    "report.read", "report.write", "report.assign", "report.collect", "bulletin.read", "bulletin.edit", "bulletin.release",
    "publicity.read", "publicity.do", "publicity.manage", "publicity.log", "publicity.expose",
    "warning.read", "warning.draft", "warning.check", "warning.approve", "warning.release", "warning.recall",
    "duty.read", "duty.act", "duty.manage", "meeting.read", "meeting.manage",
    "evidence.read", "evidence.manage", "evidence.receive", "evidence.original", "evidence.export", "evidence.destroy",
)

REACHES = ("own_unit", "own_agency", "own_area", "plan", "all")
"""How far a right reaches, from narrow to wide."""

APPROVALS = (
    "measure.order", "seal.order", "period.extend", "transfer.decide", "warning.publish", "information.request",
    "operation.start", "supervision.order", "supervision.list", "score.override", "reward.pay", "reward.propose", "rulebook.publish", "sanction.decide",
    "reporter.reveal", "report.issue", "agency.onboard",
)
"""What a post may approve (X-O1); the services ask the plan before they take an approval."""


class PartyRole(StrEnum):
    """Part an agency plays in a joint case."""

    LEAD = "lead"
    CO = "co"
    COORDINATOR = "coordinator"


def scope_parts(scope: str) -> tuple[str, str]:
    """The right an OAuth scope names, and its reach where it names one (`trace.read:plan`), else an empty text.

    ValueError for a right or reach that does not exist.
    """
    right, _, reach = scope.partition(":")
    if right not in RIGHTS or (reach and reach not in REACHES):
        raise ValueError(scope)
    return right, reach
