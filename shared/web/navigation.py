"""The pages that the bar at the top of every page leads to: for each, its service, its path and the right it needs."""

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


ENTRIES = (
    Entry(N_("Inbox"), "inbox", "notify", "/", "notice.read", ("", "notices")),
    Entry(N_("Tips"), "message-report", "intake", "/desk", "tip.read", ("desk", "tips")),
    Entry(N_("Triage"), "list-check", "intake", "/triage", "tip.triage", ("triage",)),
    Entry(N_("Leads"), "search", "intake", "/leads", "lead.read", ("leads",)),
    Entry(N_("Handovers"), "send", "intake", "/handovers", "handover.read", ("handovers",)),
    Entry(N_("Rewards"), "trophy", "intake", "/rewards", "reward.read", ("rewards",)),
    Entry(N_("Fund"), "scale", "intake", "/funds", "fund.manage", ("funds",)),
    Entry(N_("Take down a report"), "phone-call", "intake", "/operator", "tip.submit", ("operator", "brought")),
    Entry(N_("Second looks"), "refresh", "intake", "/contests", "outcome.review", ("contests",)),
    Entry(N_("Reporters' contacts"), "lock", "intake", "/reveals", "reporter.reveal", ("reveals",)),
    Entry(
        N_("Prevention"), "home", "intake", "/prevention", "rental.read",
        ("prevention", "rentals", "estates", "communities", "surveys", "registers"),
    ),
    Entry(N_("My patrol"), "route", "intake", "/patrol", "patrol.do", ("patrol",)),
    Entry(N_("Venues"), "building-community", "intake", "/venues", "venue.read", ("venues", "agents")),
    Entry(N_("Cases"), "briefcase", "casework", "/cases", "case.read", ("cases",)),
    Entry(N_("Work desk"), "list-check", "casework", "/proceedings", "proceeding.read", ("proceedings", "proceedings-new")),
    Entry(N_("Scores"), "chart-bar", "scoring", "/", "score.read", ("", "units", "scores")),
    Entry(N_("Plan"), "book-2", "intake", "/plans", "plan.read", ("plans",)),
    Entry(N_("Accounts"), "users", "notify", "/accounts", "directory.manage", ("accounts",)),
)
