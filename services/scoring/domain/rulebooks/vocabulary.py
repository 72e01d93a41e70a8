"""Words that rulebooks share with the code that reads them. A word that is not here is a mistake in the rulebook."""

from __future__ import annotations

SUBJECTS = ("town", "community", "agency", "unit", "post")
"""Who is scored: the town itself, a community, an agency, a unit of one, a post (岗位, never a named person)."""

DETECTORS = (
    "creation-missed",
    "grave-harm",
    "duties-late",
    "reports-late",
    "complaints-neglected",
    "tips-bounced",
    "exposed",
    "lead-unverified",
    "higher-made",
    "venue-used",
    "rescue-missed",
    "concealed",
    "major-report-late",
    "recording-late",
    "relapse",
    "person",
)
"""What finds a condition in the event log; `person`: nobody but a person can."""

OUTCOMES = ("met", "met_late", "missed")
"""How an obligation ended."""

NOT_DEADLINES = ("finding", "figure", "decision")
"""What `on` of a line can name beside the kinds of deadlines."""

BLOCKS = ("certificate", "reward", "commendation", "assessment", "promotion")
"""What a tool of the ladder keeps from its subject while it stands."""

EVIDENCE = (
    "survey",
    "rentals",
    "patrols",
    "revisits",
    "dens",
    "relapses",
    "publicity",
    "duties",
    "reports",
    "meetings",
    "findings",
    "venues",
    "grid-map",
    "pledges",
    "plan",
    "organisation",
    "funds",
    "residents-asked",
    "cases",
    "document",
)
"""Where the evidence of an indicator comes from; `document`: a paper that is put in by hand."""
