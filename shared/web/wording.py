"""Codes in words: states with their tone, kinds, channels, topics, roles. Msgids are English; the .po has the Chinese."""

from shared.web.i18n import N_, NN_

BADGES: dict[str, tuple[str, str]] = {
    # a tip, a lead
    "received": (N_("Received"), "info"),
    "new": (N_("New"), "info"),
    "waiting": (N_("Waiting"), "soon"),
    "triage": (N_("Being looked at"), "soon"),
    "triaged": (N_("Sorted"), "calm"),
    "routed": (N_("Assigned"), "info"),
    "lead": (N_("Lead"), "info"),
    "referred": (N_("Belongs elsewhere"), "calm"),
    "irrelevant": (N_("Not pyramid selling"), "calm"),
    "merged": (N_("Joined with another"), "calm"),
    "gathering": (N_("Gathering"), "late"),
    # a file
    "cleaned": (N_("Copy ready"), "good"),
    "quarantined": (N_("Locked away"), "late"),
    "not_scanned": (N_("Not scanned for viruses"), "soon"),
    # a case
    "opened": (N_("Opened"), "info"),
    "open": (N_("Open"), "info"),
    "accepted": (N_("Accepted"), "good"),
    "partly_accepted": (N_("Accepted by some"), "soon"),
    "investigating": (N_("Under investigation"), "info"),
    "transferred": (N_("Transferred"), "info"),
    "closed": (N_("Closed"), "calm"),
    "rejected": (N_("Not accepted"), "calm"),
    "handed_over": (N_("Handed over"), "calm"),
    "declined": (N_("Not accepted"), "calm"),
    # a handover
    "proposed": (N_("Waiting for an answer"), "soon"),
    "refused": (N_("Not taken"), "late"),
    "returned": (N_("Returned"), "soon"),
    "withdrawn": (N_("Withdrawn"), "calm"),
    "escalated": (N_("Before the office"), "soon"),
    "decided": (N_("Decided by the office"), "good"),
    "late": (N_("Overdue"), "late"),
    # a clock
    "running": (N_("Running"), "info"),
    "suspended": (N_("Paused"), "calm"),
    "met": (N_("In time"), "good"),
    "met_late": (N_("Done late"), "late"),
    "missed": (N_("Overdue"), "late"),
    "cancelled": (N_("Dropped"), "calm"),
    "provisional": (N_("Provisional"), "soon"),
    # a notice, a delivery
    "unread": (N_("Unread"), "soon"),
    "unsigned": (N_("To be signed"), "soon"),
    "read": (N_("Read"), "calm"),
    "signed": (N_("Signed"), "good"),
    "pending": (N_("Pending"), "soon"),
    "delivered": (N_("Delivered"), "good"),
    "failed": (N_("Failed"), "late"),
    # a phase of a plan
    "future": (N_("Still to come"), "calm"),
    "over": (N_("Over"), "calm"),
    # an account
    "active": (N_("Active"), "good"),
    "inactive": (N_("Inactive"), "calm"),
    "locked": (N_("Locked"), "late"),
    # a reward
    "reward_proposed": (N_("Proposed"), "soon"),
    "reward_once_approved": (N_("One approval of two"), "soon"),
    "reward_approved": (N_("Approved"), "good"),
    "reward_partly_paid": (N_("Paid in part"), "info"),
    "reward_paid": (N_("Paid"), "good"),
    "reward_refused": (N_("Refused"), "calm"),
    "reward_withdrawn": (N_("Withdrawn"), "calm"),
    "reward_lapsed": (N_("Lapsed"), "calm"),
    # a request for a reporter's contact
    "reveal_requested": (N_("Waits for a second person"), "soon"),
    "reveal_approved": (N_("Approved"), "good"),
    "reveal_refused": (N_("Refused"), "calm"),
    "reveal_withdrawn": (N_("Withdrawn"), "calm"),
    "reveal_lapsed": (N_("Lapsed"), "calm"),
    "not_accepted": (N_("Not accepted"), "calm"),
    # marks
    "quoted": (N_("Quoted by others"), "calm"),
    "urgent": (N_("Urgent"), "late"),
    "assumed": (N_("Assumed"), "soon"),
}
"""State → words and tone: `good`, `info`, `calm`, `soon` or `late`."""

WORDS: dict[str, dict[str, str]] = {
    "proceeding": {
        "track": N_("Tracks"),
        "transfer": N_("Transfers"),
        "request": N_("Requests and help"),
        "measure": N_("Measures"),
        "penalty": N_("Penalties"),
        "operation": N_("Operations"),
        "supervision": N_("Supervision"),
        "report": N_("Reports upward"),
    },
    "kind": {
        "headcount": N_("Pay for recruiting heads"),
        "entry_fee": N_("Entry fee"),
        "downline_sales": N_("Pay from the downline's sales"),
        "health_products": N_("Health products"),
        "internet": N_("Online"),
        "gathering": N_("Gathering"),
        "confinement": N_("Someone held against their will"),
        "recruiting": N_("Luring and recruiting"),
        "unspecified": N_("Kind not clear"),
    },
    "channel": {
        "web": N_("Public web form"),
        "operator": N_("Operator"),
        "hotline": N_("Hotline"),
        "visit": N_("Visit"),
        "letter": N_("Letter"),
        "message-board": N_("Message board"),
        "110": N_("Police call 110"),
        "12315": N_("Consumer line 12315"),
        "12345": N_("Service line 12345"),
        "petition": N_("Petition office"),
        "higher": N_("Higher authority"),
        "neighbour": N_("Neighbouring town"),
        "net-patrol": N_("Net patrol"),
        "patrol": N_("Patrol"),
        "liaison": N_("Liaison person"),
        "media": N_("Media"),
        "telecom": N_("Telecom operator"),
        "import": N_("Import"),
    },
    "media": {
        "image": N_("Photo"),
        "audio": N_("Recording"),
        "video": N_("Video"),
        "document": N_("Document"),
    },
    "topic": {
        "housing": N_("Housing"),
        "labour": N_("Labour"),
        "transport": N_("Transport"),
        "environment": N_("Environment"),
        "urban_management": N_("Urban management"),
        "education": N_("Education"),
        "health": N_("Health care"),
        "social_security": N_("Social security"),
        "finance_fraud": N_("Financial fraud"),
        "consumer": N_("Consumer matters"),
        "rural": N_("Countryside"),
        "public_security": N_("Public security"),
        "government_conduct": N_("Conduct of officials"),
        "other": N_("Other"),
    },
    "target": {
        "place": N_("Place"),
        "road": N_("Street number"),
        "org": N_("Organisation"),
        "app": N_("App or site"),
        "phone": N_("A phone number, in the tip's words"),
        "person": N_("A person, in the tip's words"),
    },
    "role": {
        "lead": N_("Lead agency"),
        "co": N_("Co-agency"),
        "coordinator": N_("Coordinator"),
    },
    "deadline": {
        "acceptance": N_("Acceptance"),
        "triage": N_("Triage"),
        "notice_sign": N_("Signing for the notice"),
        "verification": N_("Verification"),
        "transfer_decision": N_("Decision on transfer"),
        "police_review": N_("Review by the police"),
        "reward": N_("Reward"),
        "report": N_("Report"),
    },
    "major": {
        "urgent": N_("somebody in danger"),
        "gathering": N_("a gathering"),
        "tips": N_("many tips"),
    },
    "verified": {
        "founded": N_("Found true"),
        "unfounded": N_("Found untrue"),
        "inconclusive": N_("Could not be settled"),
    },
    "fund_entry": {
        "budget": N_("Money given"),
        "commitment": N_("Set aside"),
        "release": N_("Set free"),
        "payment": N_("Paid out"),
    },
    "level": {
        "city": N_("City"),
        "district": N_("District"),
        "town": N_("Town"),
        "subdistrict": N_("Subdistrict"),
        "community": N_("Community"),
        "estate": N_("Estate"),
    },
}
"""Vocabulary → code → words."""

UNITS: dict[str, tuple[str, str]] = {
    "minutes": NN_("%(num)d minute", "%(num)d minutes"),
    "hours": NN_("%(num)d hour", "%(num)d hours"),
    "calendar_days": NN_("%(num)d day", "%(num)d days"),
    "working_days": NN_("%(num)d working day", "%(num)d working days"),
    "months": NN_("%(num)d month", "%(num)d months"),
    "years": NN_("%(num)d year", "%(num)d years"),
}
"""Unit of a time limit → one, many."""

INTERVALS: dict[str, tuple[str, str]] = {
    "days": (N_("every day"), N_("every %(num)d days")),
    "weeks": (N_("every week"), N_("every %(num)d weeks")),
    "half_months": (N_("every half month"), N_("every %(num)d half months")),
    "months": (N_("every month"), N_("every %(num)d months")),
}
"""Unit of an interval → one, many."""

AT_ONCE = N_("At once")

DONE: dict[str, str] = {
    "saved": N_("Saved."),
    "step_taken": N_("Done. The step and its time are on record, and the other side can see it."),
    "proceeding_opened": N_("Opened. Its clocks run from now."),
    "accepted": N_("Accepted. The clock has stopped and the other parties can see it."),
    "signed": N_("Signed. Your signature and its time are on record."),
    "sent": N_("Sent."),
    "signed-out": N_("You are signed out."),
    "corrected": N_("Your correction is recorded."),
    "confirmed": N_("Confirmed. The reading stands, and the next one is on top."),
    "joined": N_("The leads are joined. Every number, date and the earliest reporter stand; it can be undone."),
    "split": N_("Taken apart. Each keeps its numbers and dates."),
    "apart": N_("Noted: two different targets. They will not be suggested again."),
    "password": N_("Your password is changed."),
}
"""What a page says after a change (`?done=code`); other codes say nothing."""

WENT_WRONG: dict[int, tuple[str, str]] = {
    400: (N_("We could not read that request"), N_("Nothing was changed. Go back and try again.")),
    401: (N_("Please sign in"), N_("Nothing was changed. Sign in, then do it again.")),
    403: (N_("You may not open this"), N_("Nothing was changed. If your work needs it, ask the office.")),
    404: (N_("We could not find that page"), N_("It may have moved, or it is not yours to see.")),
    405: (N_("That does not work here"), N_("Nothing was changed. Go back and try again.")),
    409: (N_("That clashes with what is recorded"), N_("The record stands as it was.")),
    412: (
        N_("Somebody changed it meanwhile"),
        N_("Your change was not saved. Open it again and look at the new state."),
    ),
    413: (N_("That is too large"), N_("Nothing was kept. Send it in smaller parts.")),
    415: (N_("We cannot take that kind of file"), N_("Nothing was kept.")),
    422: (N_("Some fields need another look"), N_("Nothing was kept yet. Go back, correct them and send again.")),
    428: (N_("The page you sent from is too old"), N_("Nothing was changed. Open it again and repeat.")),
    429: (N_("Too many tries in a short time"), N_("Nothing was changed. Please wait a little and try again.")),
    507: (N_("There is no room left for files"), N_("Nothing was kept. Tell the operators; then try again.")),
    503: (N_("We cannot save anything right now"), N_("Nothing was kept. Please try again in a moment.")),
}
"""HTTP status → what happened; what was kept and what to do."""

UNEXPECTED = (N_("Something went wrong on our side"), N_("It has been recorded. Please try again in a moment."))
