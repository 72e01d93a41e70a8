"""What a page says after a change, and when something went wrong."""

from shared.web.i18n import N_

DONE: dict[str, str] = {
    "saved": N_("Saved."),
    "draft_kept": N_("Kept as a draft."),
    "draft_edit": N_("Kept. The check ran anew."),
    "draft_submit": N_("Handed in. A second person publishes it."),
    "draft_return": N_("Given back with your reason."),
    "draft_publish": N_("Published. It is never changed, and values what happens from its day on."),
    "draft_withdraw": N_("Withdrawn."),
    "tool_done": N_("Done. The step and who took it are on record."),
    "measure_done": N_("Done. The step and who took it are on record."),
    "measure_proposed": N_("Proposed. A second person decides."),
    "fund_moved": N_("On record. The balance has changed."),
    "finding_answer": N_("Your answer is on record. Whoever decides reads it first."),
    "finding_confirm": N_("Confirmed. It stands in the ledger, and the unit may appeal."),
    "finding_reject": N_("Rejected. Nothing is held against the unit."),
    "finding_leave": N_("Left to a second person."),
    "finding_appeal": N_("Your appeal is on record. Others than those who decided will look."),
    "finding_uphold": N_("The finding stands."),
    "finding_overturn": N_("Taken back. The ledger shows the entry and its correction."),
    "case_closed": N_("Closed. Those who reported it can read how it ended."),
    "step_taken": N_("Done. The step and its time are on record, and the other side can see it."),
    "proceeding_opened": N_("Opened. Its clocks run from now."),
    "present": N_("Noted: you are here."),
    "entered": N_("Entered. The figures have changed."),
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
    "queued": N_("It is on its way."),
    "removed": N_("Removed."),
    "sent_before": N_("That was done already, and nothing was done twice. What is shown once is not shown again: make a new one if it was lost."),
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
