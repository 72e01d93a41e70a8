"""Words that rulebooks share with the code that reads them. A word that is not here is a mistake in the rulebook."""

from __future__ import annotations

SUBJECTS = ("town", "community", "agency", "unit", "post")
"""Who is scored: the town itself, a community, an agency, a unit of one, a post (岗位, never a named person)."""

DETECTORS = (
    "missed_rescue", "grave_incident", "made_by_higher", "late_major_report", "reported_late", "concealment",
    "neglected_order", "unverified_lead", "bounced", "upheld_complaint", "venue_used", "neglected_patrol", "recurrence",
    "late_recording", "exposure", "late_report", "late_duty", "missed_creation",
)  # fmt: skip
"""What finds a condition in the event log; each is a row of `domain/detectors`."""

OUTCOMES = ("met", "met_late", "missed")
"""How an obligation ended."""

NOT_DEADLINES = ("finding", "figure", "decision")
"""What `on` of a line can name beside the kinds of deadlines."""

BLOCKS = ("certificate", "reward", "commendation", "assessment", "promotion")
"""What a tool of the ladder keeps from its subject while it stands."""

EVIDENCE = (
    "survey", "rentals", "patrols", "revisits", "dens", "relapses", "publicity", "duties", "reports", "meetings",
    "findings", "venues", "grid-map", "pledges", "plan", "organisation", "funds", "residents-asked", "cases", "document",
)  # fmt: skip
"""Where the evidence of an indicator comes from; `document`: a paper that is put in by hand."""
