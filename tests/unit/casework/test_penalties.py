"""Penalties by their tables: the law of the day of the act, ranges, defence and hearing, crime, execution, publication."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.casework.domain.measures import Part, next_due, overdue
from services.casework.domain.penalties import PREFIX, ROLES, illegal_gains, years_after
from services.casework.domain.proceedings import Incomplete, Refused
from shared.rules.calendar import local_day
from tests.unit.casework.office import OFFICER, SYSTEM, Matter, at, law, procedures, sibling

NOW = at("2026-03-02")
PLACE = "0190b6a0-0000-7000-8000-000000000001"
FILED = (sibling("administrative_case", "investigating"), sibling("public_order_case", "investigating", agency="police"))


def proposed(article: str, role: str, *, agency: str = "commerce", siblings: Any = FILED, **values: Any) -> Matter:
    kind = "administrative_penalty" if agency == "commerce" else "police_penalty"
    known = {"act_on": "2026-01-20", "found_on": "2026-02-01", "party": "person", "conduct": "事实"}
    return Matter(kind, NOW, agency, siblings=siblings).open(article=article, role=role, **(known | values))


def refusal(matter: Matter, step: str, **values: Any) -> Refused:
    before = matter.proceeding
    with pytest.raises(Refused) as refused:
        matter.take(step, **values)
    assert matter.proceeding == before and refused.value.zh and refused.value.en
    return refused.value


def reviewed(matter: Matter, **values: Any) -> Matter:
    matter.take("propose", reason="裁量", **values)
    matter.take("review", replace(OFFICER[matter.agency], id="legal"), opinion="同意")
    return matter


def notified(matter: Matter, **values: Any) -> Matter:
    reviewed(matter, **values)
    matter.take("notify", told_on=local_day(matter.now).isoformat())
    return matter


def decided(matter: Matter, **values: Any) -> Matter:
    notified(matter, **values)
    if matter.facts["large"]:
        matter.take("discuss", discussed_on=local_day(matter.now).isoformat(), record="同意")
    matter.go(12)
    matter.take("decide")
    return matter


def served(matter: Matter, **values: Any) -> Matter:
    decided(matter, **values)
    matter.take("serve", served_on=local_day(matter.now).isoformat(), way="direct")
    return matter


def test_a_penalty_belongs_to_a_filed_track_of_its_agency() -> None:
    """D-A4: penalties hang on the track."""
    for siblings in ((), (sibling("administrative_case", "verifying"),), (sibling("administrative_case", "executed", final=True),), (FILED[1],)):
        with pytest.raises(Refused) as refused:
            proposed("fine_organise", "organiser", siblings=siblings)
        assert refused.value.code == "no-track"
    assert proposed("fine_organise", "organiser").state == "drafting"


@pytest.mark.parametrize("article", sorted(ROLES))
def test_every_article_is_a_rule_of_the_law_and_every_role_has_its_articles(article: str) -> None:
    kinds = [k for k, prefix in PREFIX.items() if prefix + article in law()]
    assert len(kinds) == 1
    version = procedures().get(kinds[0]).versions[-1]
    assert article in version.open.fields["article"].choices
    assert ROLES[article] <= set(version.open.fields["role"].choices)


def test_the_range_of_each_article_is_told_when_it_is_opened() -> None:
    """X-D8b: within the statutory range."""
    bands = {
        ("fine_organise", "organiser"): ("500000.00", "2000000.00"),
        ("fine_lure", "recruiter"): ("100000.00", "500000.00"),
        ("fine_join", "participant"): ("0.00", "2000.00"),
    }
    for (article, role), band in bands.items():
        matter = proposed(article, role)
        assert (matter.facts["band_from"], matter.facts["band_to"]) == band
        assert matter.facts["law_certainty"] == "T" and matter.facts["law_provisional"] is False
    tamper = proposed("fine_tamper", "organiser", goods_value="20000")
    assert (tamper.facts["band_from"], tamper.facts["band_to"]) == ("1000.00", "4000.00")
    again = proposed("fine_tamper_refuses", "organiser", goods_value="20000")
    assert (again.facts["band_from"], again.facts["band_to"]) == ("20000.00", "60000.00")
    with pytest.raises(Refused, match="goods"):
        proposed("fine_tamper", "organiser")


@pytest.mark.parametrize("role", ["landlord", "tenant", "venue", "storage"])
def test_landlords_tenants_venues_and_stores_are_tied_to_their_place(role: str) -> None:
    """X-D7c, D-B5b: the penalty names the rental; whoever only supplies goods has none."""
    with pytest.raises(Refused) as refused:
        proposed("fine_premises", role)
    assert refused.value.code == "place-missing"
    matter = proposed("fine_premises", role, place_id=PLACE)
    assert matter.told[0][1]["place_id"] == PLACE
    proposed("fine_premises", "supplier")
    with pytest.raises(Refused) as wrong:
        proposed("fine_organise", "landlord", place_id=PLACE)
    assert wrong.value.code == "role-of-another-article"


def test_the_law_of_the_day_of_the_act_governs() -> None:
    """D-B5b: a landlord of 2015 by the law of 2015, one of 2026 by the new law; what was no offence is refused."""
    old = proposed("landlord_unreported", "landlord", agency="police", place_id=PLACE, act_on="2015-10-19", found_on="2016-01-10")
    assert (old.facts["band_from"], old.facts["band_to"]) == ("200.00", "500.00")
    assert old.facts["law_provisional"] is True  # no text of the limitation of 2015 is on file
    new = proposed("landlord_unreported", "landlord", agency="police", place_id=PLACE)
    assert (new.facts["band_from"], new.facts["band_to"]) == ("1000.00", "3000.00") and new.facts["law_certainty"] == "M"

    with pytest.raises(Refused) as detention:
        proposed("detain_organise", "organiser", agency="police", act_on="2025-12-31", found_on="2026-01-05")
    assert detention.value.code == "before-the-law" and detention.value.more["first"] == "2026-01-01"
    proposed("detain_organise", "organiser", agency="police", act_on="2026-01-01", found_on="2026-01-05")
    with pytest.raises(Refused) as regulation:
        proposed("fine_organise", "organiser", act_on="2005-10-31", found_on="2006-01-05")
    assert regulation.value.code == "before-the-law" and "2005-11-01" in regulation.value.zh


def test_what_was_not_found_within_two_years_is_no_longer_penalised() -> None:
    proposed("fine_organise", "organiser", act_on="2023-03-01", found_on="2025-03-01")
    with pytest.raises(Refused) as late:
        proposed("fine_organise", "organiser", act_on="2023-03-01", found_on="2025-03-02")
    assert late.value.code == "too-late"
    with pytest.raises(Refused) as early:
        proposed("fine_organise", "organiser", act_on="2026-02-02", found_on="2026-02-01")
    assert early.value.code == "found-before-the-act"
    with pytest.raises(Incomplete):
        proposed("fine_organise", "organiser", act_on="2026-03-03", found_on="2026-03-03")
    assert years_after(date(2024, 2, 29), 2) == date(2026, 2, 28)


def test_less_than_the_maximum_needs_its_grounds() -> None:
    """D-B5a: the maximum needs none; less needs them, and says so in its fact; outside the range nothing goes."""
    top = proposed("fine_organise", "organiser")
    top.take("propose", fine="2000000", reason="顶格")
    assert top.told[-1][1]["not_maximum"] is False and top.facts["maximum"] == "2000000.00"

    less = proposed("fine_organise", "organiser")
    refused = refusal(less, "propose", fine="1999999.99", reason="从轻")
    assert refused.code == "not-maximum-reason" and refused.more["maximum"] == "2000000.00"
    less.take("propose", fine="600000", grounds=["confessed"], reason="从轻")
    assert less.told[-1][1]["not_maximum"] is True and less.facts["below_range"] is False

    for fine in ("2000000.01", "499999.99"):
        out = refusal(proposed("fine_organise", "organiser"), "propose", fine=fine, grounds=["minor"], reason="理由")
        assert out.code == "out-of-range" and out.more["certainty"] == "T"
    reduced = proposed("fine_organise", "organiser")
    reduced.take("propose", fine="300000", grounds=["reduced", "merit"], reason="减轻")
    assert reduced.facts["below_range"] is True


@given(fen=st.integers(0, 300_000_000))
def test_no_fine_leaves_the_range_whatever_is_typed(fen: int) -> None:
    """X-D8b."""
    amount = Decimal(fen) / 100
    matter = proposed("fine_organise", "organiser")
    inside = Decimal(500_000) <= amount <= Decimal(2_000_000)
    try:
        matter.take("propose", fine=str(amount), grounds=["minor"], reason="理由")
    except Refused as refused:
        assert not inside and refused.code == "out-of-range"
    else:
        assert inside and matter.facts["not_maximum"] is (amount < 2_000_000)


def test_detention_keeps_its_days_and_has_a_fine_only_where_the_article_has_one() -> None:
    """D-B5a: new article 34; lighter bounds are an article of their own."""
    matter = proposed("detain_organise", "organiser", agency="police")
    assert (matter.facts["band_from"], matter.facts["band_to"], matter.facts["band_days"]) == ("10.00", "15.00", True)
    assert refusal(matter, "propose", days=16, reason="理由").code == "out-of-range"
    assert refusal(matter, "propose", days=12, reason="理由").code == "not-maximum-reason"
    assert refusal(matter, "propose", days=15, fine="500", reason="理由").code == "no-fine-here"
    matter.take("propose", days=15, reason="顶格")
    assert matter.facts["not_maximum"] is False and matter.facts["due"] == "0.00"
    light = proposed("detain_organise_light", "organiser", agency="police")
    light.take("propose", days=10, reason="情节较轻")
    grave = proposed("landlord_unreported_grave", "landlord", agency="police", place_id=PLACE)
    assert refusal(grave, "propose", days=5, fine="5001", reason="理由").code == "out-of-range"
    grave.take("propose", days=5, fine="5000", reason="顶格")
    assert grave.facts["due"] == "5000.00"


def test_illegal_gains_by_their_method() -> None:
    matter = proposed("fine_lure", "recruiter")
    assert refusal(matter, "gains", method="headcount", income="100000", goods_cost="1", how="按人头").code == "no-cost-taken-off"
    matter.take("gains", method="headcount", income="100000", how="按人头")
    assert matter.facts["illegal_gains"] == "100000.00" and matter.facts["gains_certainty"] == "S"
    matter.take("gains", method="team_pay", income="100000", goods_cost="30000.50", how="扣除成本")
    assert matter.facts["illegal_gains"] == "69999.50"
    assert refusal(matter, "propose", fine="500000", reason="理由").code == "gains-to-confiscate"
    matter.take("propose", fine="500000", confiscate_gains=True, reason="顶格")
    assert matter.facts["due"] == "569999.50"
    assert refusal(proposed("fine_lure", "recruiter"), "propose", fine="500000", confiscate_gains=True, reason="理由").code == "gains-not-worked-out"
    assert illegal_gains("team_pay", Decimal(10), Decimal(20)) == 0


def test_a_business_is_closed_beside_article_24_only() -> None:
    matter = proposed("fine_premises", "venue", place_id=PLACE, party="entity")
    assert refusal(matter, "propose", fine="500000", suspension=True, reason="理由").code == "not-for-this-article"
    other = proposed("fine_lure", "recruiter", party="entity")
    other.take("propose", fine="500000", revoke_licence=True, reason="顶格")
    assert other.facts["hearing_right"] is True and other.facts["large"] is True


def test_large_penalties_give_a_hearing_and_say_that_the_amount_is_unverified() -> None:
    small = proposed("fine_join", "participant")
    small.take("propose", fine="2000", reason="顶格")
    assert small.facts["hearing_right"] is False and small.facts["hearing_unverified"] is True
    large = reviewed(proposed("fine_premises", "landlord", place_id=PLACE), fine="500000")
    assert large.facts["hearing_right"] is True
    large.documents = large.documents - {"hearing_rights_notice"}
    assert refusal(large, "notify", told_on="2026-03-02").more["documents"] == ["hearing_rights_notice"]


def test_nothing_is_decided_before_the_term_of_defence_is_over() -> None:
    """D-A4: five working days after the party was told; over Qingming the term is longer."""
    matter = notified(proposed("fine_join", "participant"), fine="2000")
    early = refusal(matter, "decide")
    assert early.code == "defence-term" and early.more["certainty"] == "M"
    assert local_day(matter.proceeding.clocks["defence"].due) == date(2026, 3, 9)  # type: ignore[union-attr]
    matter.now = at("2026-03-09", 23)
    assert refusal(matter, "decide").code == "defence-term"
    matter.now = at("2026-03-10", 0)
    matter.job()
    matter.take("decide")
    assert matter.state == "decided"
    over_the_holiday = proposed("fine_join", "participant")
    over_the_holiday.now = at("2026-04-02")
    notified(over_the_holiday, fine="2000")
    assert local_day(over_the_holiday.proceeding.clocks["defence"].due) == date(2026, 4, 10)  # type: ignore[union-attr]


def test_a_hearing_is_asked_for_in_time_called_ahead_and_held_before_the_decision() -> None:
    matter = notified(proposed("fine_lure", "recruiter"), fine="500000")
    assert refusal(notified(proposed("fine_join", "participant"), fine="2000"), "ask_hearing", asked_on="2026-03-02").code == "no-hearing-right"
    late = notified(proposed("fine_lure", "recruiter"), fine="500000")
    late.go(9)
    assert refusal(late, "ask_hearing", asked_on="2026-03-10").code == "asked-too-late"
    matter.take("ask_hearing", asked_on="2026-03-02")
    assert refusal(matter, "decide").code == "not-possible-now"
    soon = refusal(matter, "call_hearing", called_on="2026-03-02", hearing_on="2026-03-10")
    assert soon.code == "hearing-too-soon" and soon.more["earliest"] == "2026-03-11"
    matter.take("call_hearing", called_on="2026-03-02", hearing_on="2026-03-11")
    matter.go(9)
    assert refusal(matter, "hold_hearing", held_on="2026-03-10", report="报告").code == "hearing-too-soon"
    matter.take("hold_hearing", held_on="2026-03-11", report="报告")
    assert refusal(matter, "decide").code == "not-discussed"
    matter.take("discuss", discussed_on="2026-03-11", record="同意")
    matter.take("decide")
    told = matter.told[-1][1]
    assert told["fine"] == "500000.00" and told["not_maximum"] is False and told["role"] == "recruiter" and told["due"] == "500000.00"


def test_a_hearing_in_a_year_without_published_holidays_is_provisional() -> None:
    matter = proposed("fine_lure", "recruiter")
    matter.now = at("2026-12-28")
    notified(matter, fine="500000")
    matter.take("ask_hearing", asked_on="2026-12-28")
    matter.take("call_hearing", called_on="2026-12-28", hearing_on="2027-03-01")
    assert matter.facts["hearing_provisional"] is True


def test_a_defence_does_not_make_it_heavier() -> None:
    matter = notified(proposed("fine_lure", "recruiter"), fine="200000", grounds=["minor"])
    matter.take("record_defence", defended=True, adopted="none", defence="申辩")
    matter.take("propose_again", reason="复核")
    assert refusal(matter, "propose", fine="300000", grounds=["minor"], reason="加重").code == "heavier-after-defence"
    matter.take("propose", fine="150000", grounds=["minor"], reason="采纳")


def test_no_penalty_in_place_of_a_transfer_and_none_after_a_criminal_fine() -> None:
    """D-A5: 移送规定 article 11; the landlord of the same case is penalised all the same."""
    for state, final, outcome, stands in (
        ("sent", False, None, True), ("filed", False, None, True), ("done", True, "filed", True),
        ("returned", True, "returned", False), ("kept", True, "kept", False),
    ):  # fmt: skip
        matter = notified(proposed("fine_organise", "organiser"), fine="2000000")
        matter.take("discuss", discussed_on="2026-03-02", record="同意")
        matter.go(12)
        matter.siblings = (*FILED, sibling("suspected_crime", state, final=final, outcome=outcome))
        if stands:
            assert refusal(matter, "decide").code == "transfer-stands"
        else:
            matter.take("decide")
    landlord = notified(proposed("fine_premises", "landlord", place_id=PLACE), fine="500000")
    landlord.take("discuss", discussed_on="2026-03-02", record="同意")
    landlord.go(12)
    landlord.siblings = (*FILED, sibling("suspected_crime", "filed"))
    landlord.take("decide")
    fined = proposed("fine_lure", "recruiter")
    assert refusal(fined, "propose", fine="500000", criminally_fined=True, reason="理由").code == "criminally-fined"


def test_money_is_paid_in_instalments_that_cover_it_and_nothing_closes_before() -> None:
    matter = served(proposed("fine_join", "participant"), fine="2000")
    assert local_day(matter.proceeding.clocks["pay"].due) == local_day(matter.now) + timedelta(days=15)  # type: ignore[union-attr]
    day = local_day(matter.now).isoformat()
    assert refusal(matter, "close", executed_on=day).code == "money-left"
    assert refusal(matter, "enforce", enforce_on=day, reference="1").code == "not-due-yet"
    matter.tallies = {"instalments": 2, "planned": 150_000, "last_due": date(2026, 6, 1).toordinal()}
    assert refusal(matter, "instalments", reason="困难").code == "instalments-differ"
    matter.tallies["planned"] = 200_000
    matter.take("instalments", reason="困难")
    assert matter.facts["instalments"] == 2 and matter.facts["instalments_until"] == "2026-06-01"
    assert matter.proceeding.clocks["pay"].state == "cancelled"  # type: ignore[union-attr]
    matter.tallies["paid"] = 200_001
    assert refusal(matter, "pay").code == "too-much"
    matter.tallies["paid"] = 50_000
    matter.take("pay")
    assert (matter.facts["paid"], matter.facts["left"]) == ("500.00", "1500.00")
    matter.tallies["overdue"] = 50_000
    matter.take("enforce", enforce_on=day, reference="1")
    matter.tallies["paid"] = 200_000
    matter.take("close", executed_on=day)
    assert matter.version.states[matter.state].outcome == "executed"


def test_each_instalment_has_a_clock_that_payment_meets_and_that_is_told_when_it_passes() -> None:
    matter = served(proposed("fine_join", "participant"), fine="2000")
    first = local_day(matter.now)
    days = [first + timedelta(days=30 * k) for k in (1, 2, 3)]
    parts = [Part(one, amount) for one, amount in zip(days, (50_000, 50_000, 100_000), strict=True)]

    def paid(fen: int) -> None:
        upcoming, today = next_due(parts, fen, local_day(matter.now)), local_day(matter.now)
        matter.tallies = {
            "instalments": 3, "planned": 200_000, "last_due": days[-1].toordinal(), "paid": fen,
            "next_due": upcoming.toordinal() if upcoming else 0, "overdue": overdue(parts, fen, today),
        }  # fmt: skip

    def clock() -> tuple[date, str]:
        found = matter.proceeding.clocks["instalment"]  # type: ignore[union-attr]
        return local_day(found.due), found.state.value

    paid(0)
    matter.take("instalments", reason="困难")
    assert clock() == (days[0], "running") and matter.proceeding.clocks["instalment"].rule_id == "penalty.instalment"  # type: ignore[union-attr]
    matter.now += timedelta(days=10)
    paid(20_000)
    matter.take("pay")
    assert clock() == (days[0], "running"), "a part of it is not it"
    paid(50_000)
    matter.take("pay")
    assert clock() == (days[1], "running"), "met by payment, the next one runs"
    matter.now = at(days[1].isoformat()) + timedelta(days=1)
    paid(50_000)
    matter.job()
    assert clock() == (days[2], "running")
    step, told = matter.told[-1]
    assert step == "instalment_passed" and told["overdue"] == "500.00" and matter.state == "served"
    paid(100_000)
    matter.take("pay")
    assert clock() == (days[2], "running"), "what is paid late changes nothing about the next one"
    paid(200_000)
    matter.take("pay")
    assert clock()[1] == "met"
    matter.take("close", executed_on=local_day(matter.now).isoformat())
    assert matter.version.states[matter.state].outcome == "executed"


def test_a_fine_overdue_is_enforced_and_an_end_without_money_is_said_to_be_one() -> None:
    matter = served(proposed("fine_join", "participant"), fine="2000")
    matter.go(20)
    pay = matter.proceeding.clocks["pay"]  # type: ignore[union-attr]
    assert pay.state == "met" and pay.met_at == pay.due and pay.missed_at is None, "the party's term is over; the agency is not late"
    day = local_day(matter.now).isoformat()
    matter.take("enforce", enforce_on=day, reference="1")
    matter.take("end_enforcement", reference="2")
    assert matter.version.states[matter.state].outcome == "uncollected"


def test_a_fine_that_was_paid_is_set_off_against_a_criminal_one() -> None:
    matter = served(proposed("fine_lure", "recruiter"), fine="500000")
    matter.tallies = {"paid": 30_000_000}
    offset = {"offset": "300000", "judgment": "〔2026〕刑初1号"}
    assert refusal(matter, "offset", **offset).code == "not-convicted"
    matter.siblings = (*FILED, sibling("criminal_case", "convicted", final=True, outcome="convicted", agency="police"))
    assert refusal(matter, "offset", **(offset | {"offset": "300000.01"})).code == "offset-too-much"
    matter.take("offset", **offset)
    assert matter.told[-1][1]["offset"] == "300000.00"


def test_detention_is_recorded_with_no_more_days_than_were_decided() -> None:
    matter = served(proposed("detain_lure", "recruiter", agency="police"), days=10)
    day = local_day(matter.now)
    assert refusal(matter, "close", executed_on=day.isoformat()).code == "detention-left"
    matter.go(12)
    span = {"detained_from": day.isoformat(), "detained_until": (day + timedelta(days=11)).isoformat()}
    assert refusal(matter, "detain", **span).code == "days-differ"
    matter.take("detain", **(span | {"detained_until": (day + timedelta(days=10)).isoformat()}))
    matter.take("close", executed_on=local_day(matter.now).isoformat())


@pytest.mark.parametrize(("minor", "until"), [(True, "2026-06-14"), (False, "2029-03-14")])
def test_a_decision_is_published_for_its_time_and_withdrawn_within_three_days(minor: bool, until: str) -> None:
    """D-A4: publication ends by itself, once."""
    matter = served(proposed("fine_join", "participant"), fine="2000")
    assert matter.proceeding.clocks["publish"].rule_id == "publish.decision"  # type: ignore[union-attr]
    assert refusal(matter, "revoke_published", reason="撤销").code == "not-published"
    matter.take("publish", published_on="2026-03-14", minor=minor, where="公示系统")
    assert matter.facts["shown_until"] == until and matter.proceeding.clocks["publish"].state == "met"  # type: ignore[union-attr]
    matter.now = at(until, 23)
    with pytest.raises(Refused):
        matter.take("end_publication", SYSTEM)
    matter.now += timedelta(days=1)
    matter.take("end_publication", SYSTEM)
    with pytest.raises(Refused):
        matter.take("end_publication", SYSTEM)
    assert refusal(matter, "revoke", reason="撤销").code == "published"
    matter.take("revoke_published", reason="复议撤销")
    assert matter.proceeding.clocks["withdraw"].rule_id == "publish.withdraw"  # type: ignore[union-attr]
    matter.take("unpublish", withdrawn_on=local_day(matter.now).isoformat())
    assert matter.version.states[matter.state].outcome == "revoked"


@pytest.mark.parametrize("agency", ["commerce", "police"])
def test_every_pair_of_state_and_step_is_possible_or_refused_as_its_table_says(agency: str) -> None:
    matter = proposed(*(("fine_lure", "recruiter") if agency == "commerce" else ("detain_lure", "recruiter")), agency=agency)
    for state in matter.version.states:
        matter.proceeding = replace(matter.proceeding, state=state)  # type: ignore[type-var]
        for name, step in matter.version.steps.items():
            held = matter.proceeding
            try:
                matter.take(name, SYSTEM if step.by == ("system",) else None)
                code = None
            except (Refused, Incomplete) as error:
                code = getattr(error, "code", "fields")
            matter.proceeding = held
            assert (code == "not-possible-now") == (state not in step.sources), (state, name, code)
