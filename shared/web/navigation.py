"""The pages that the bar at the top of every page leads to: for each, its service, its path and the right it needs.

Whoever may open few of them sees one row. With more, the first row names groups and the second the pages of the group
one is in; a group leads to its first page. Neither needs a script, and both fit a phone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.web.i18n import N_


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; `own` are the first path segments under which it stands out as the current one."""

    label: str
    icon: str
    service: str
    path: str
    right: str
    own: tuple[str, ...]
    group: str = ""
    """A code of `GROUPS`; without one, the group of its service."""

    @property
    def home(self) -> str:
        """The group it stands in."""
        return self.group or _OF_SERVICE[self.service]


@dataclass(frozen=True, slots=True)
class Group:
    """Pages that belong together."""

    code: str
    label: str
    icon: str


GROUPS = (
    Group("today", N_("Inbox"), "inbox"),
    Group("reports", N_("Intake desk"), "message-report"),
    Group("prevention", N_("Prevention"), "home"),
    Group("work", N_("Casework"), "briefcase"),
    Group("rewards", N_("Rewards"), "trophy"),
    Group("office", N_("Overview"), "chart-bar"),
)
_OF_SERVICE = {"notify": "today", "intake": "reports", "casework": "work", "scoring": "office"}

MOST_IN_A_ROW = 6
"""Beyond this, entries stand in groups."""


def grouped(entries: Sequence[Entry]) -> list[tuple[Group, list[Entry]]]:
    """Entries by group, in the order of `GROUPS`; a group nobody may open is not there."""
    found = [(group, [entry for entry in entries if entry.home == group.code]) for group in GROUPS]
    return [(group, inside) for group, inside in found if inside]


ENTRIES = (
    Entry(N_("Inbox"), "inbox", "notify", "/", "notice.read", ("", "notices", "deadlines")),
    Entry(N_("Duties"), "checks", "notify", "/duties", "duty.read", ("duties", "meetings")),
    Entry(N_("Reporting"), "file-text", "notify", "/reporting", "bulletin.read", ("reporting", "reports", "reporters", "bulletins")),
    Entry(N_("Publicity"), "users-group", "notify", "/campaigns", "publicity.read", ("campaigns", "campaign-items", "publicity", "warnings")),
    Entry(N_("Tips"), "message-report", "intake", "/desk", "tip.read", ("desk", "tips")),
    Entry(N_("Triage"), "list-check", "intake", "/triage", "tip.triage", ("triage",)),
    Entry(N_("Leads"), "search", "intake", "/leads", "lead.read", ("leads",)),
    Entry(N_("Trends"), "chart-bar", "intake", "/trends", "lead.read", ("trends",)),
    Entry(N_("Handovers"), "send", "intake", "/handovers", "handover.read", ("handovers",)),
    Entry(N_("Rewards"), "trophy", "intake", "/rewards", "reward.read", ("rewards",), "rewards"),
    Entry(N_("Fund"), "scale", "intake", "/funds", "fund.manage", ("funds",), "rewards"),
    Entry(N_("Take down a report"), "phone-call", "intake", "/operator", "tip.submit", ("operator", "brought")),
    Entry(N_("Second looks"), "refresh", "intake", "/contests", "outcome.review", ("contests",)),
    Entry(N_("Reporters' contacts"), "lock", "intake", "/reveals", "reporter.reveal", ("reveals",)),
    Entry(
        N_("Prevention"), "home", "intake", "/prevention", "rental.read",
        ("prevention", "rentals", "estates", "communities", "surveys", "registers"), "prevention",
    ),
    Entry(N_("My patrol"), "route", "intake", "/patrol", "patrol.do", ("patrol",), "prevention"),
    Entry(N_("Venues"), "building-community", "intake", "/venues", "venue.read", ("venues", "agents"), "prevention"),
    Entry(N_("Cases"), "briefcase", "casework", "/cases", "case.read", ("cases", "evidence")),
    Entry(N_("Work desk"), "list-check", "casework", "/proceedings", "proceeding.read", ("proceedings", "proceedings-new")),
    Entry(N_("Persons"), "users", "casework", "/persons", "person.read", ("persons", "case-persons")),
    Entry(N_("Places"), "map-pin", "casework", "/places", "place.read", ("places", "dens")),
    Entry(N_("Revisits"), "calendar", "casework", "/revisits", "revisit.do", ("revisits",)),
    Entry(N_("Relapses"), "chart-bar", "casework", "/recurrences", "recurrence.read", ("recurrences",)),
    Entry(N_("Documents"), "file-text", "casework", "/documents/waiting", "document.draft", ("documents", "document-numbers")),
    Entry(N_("Joint operations"), "route", "casework", "/operations", "operation.read", ("operations",)),
    Entry(N_("Supervision"), "eye", "casework", "/supervision", "supervision.open", ("supervision",)),
    Entry(N_("Figures of cases"), "chart-bar", "casework", "/statistics", "case.read", ("statistics",)),
    Entry(N_("Scores"), "chart-bar", "scoring", "/", "score.read", ("", "units", "scores", "periods", "board")),
    Entry(N_("Findings"), "scale", "scoring", "/findings", "finding.read", ("findings",)),
    Entry(N_("Certificates"), "trophy", "scoring", "/certificates", "certificate.read", ("certificates",)),
    Entry(N_("Consequences"), "alert-triangle", "scoring", "/consequences", "consequence.read", ("consequences",)),
    Entry(N_("Rulebooks"), "book-2", "scoring", "/rulebooks", "score.read", ("rulebooks",)),
    Entry(N_("Plan"), "book-2", "intake", "/plans", "plan.read", ("plans",), "office"),
    Entry(N_("Posts and deputies"), "users", "notify", "/posts", "post.manage", ("posts",), "office"),
    Entry(N_("Messages outside"), "webhook", "notify", "/webhooks", "webhook.manage", ("webhooks",), "office"),
    Entry(N_("Accounts"), "users", "notify", "/accounts", "directory.manage", ("accounts",), "office"),
    Entry(N_("Systems to approve"), "lock", "notify", "/approvals", "directory.approve", ("approvals",), "office"),
)
