"""What both plans say, proved on the shipped files by the public API of the plan and by `./dachuan plan`.

The clauses are those whose owner is the plan file or access: X-O1, X-P, D-O1, D-B2, D-K2a, D-M1, D-M3, D-P, D-R.
"""

import re
from datetime import date, datetime
from pathlib import Path

import pytest

from shared.rules.calendar import SHANGHAI, WorkingCalendar
from shared.rules.deadlines import open_deadline
from shared.rules.law import LawBook
from shared.rules.plan import Plan, RoutingFacts, check_plan, load_plans
from shared.rules.plan.vocabulary import RIGHTS, TIP_KINDS

DEPLOY = Path(__file__).parents[3] / "deploy"
LAW = LawBook.load(DEPLOY / "law")
PLANS = load_plans(DEPLOY / "plans", law=LAW)
DAYONG, XIYUAN = PLANS["dayong"], PLANS["xiyuan"]
TODAY = date(2026, 11, 23)


def notes(plan: Plan) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for finding in check_plan(DEPLOY / "plans" / plan.id, LAW):
        found.setdefault(finding.code, []).append(finding.text_en)
    return found


def test_both_plans_are_valid_and_name_nobody() -> None:
    assert set(PLANS) == {"dayong", "xiyuan"}
    for plan_id in PLANS:
        assert not [f for f in check_plan(DEPLOY / "plans" / plan_id, LAW) if f.severity == "error"]
        text = "".join(path.read_text(encoding="utf-8") for path in (DEPLOY / "plans" / plan_id).glob("*.yaml"))
        assert not re.search(r"1[3-9]\d{9}|0760-?\d|0551-?\d|[\u4e00-\u9fff]某", text)


def test_x_o1_bodies_and_posts_of_the_subdistrict_and_what_they_may_approve() -> None:
    """X-O1: leading group, office and squad; who may approve what follows from the post."""
    bodies = {body.kind: body for body in XIYUAN.bodies}
    assert set(bodies) == {"leading_group", "office", "squad"}
    named = {"police", "commerce", "politics_law", "justice", "finance", "urban_mgmt"}
    communities = {agency.id for agency in XIYUAN.agencies_of_kind("community")}
    assert named | communities <= set(bodies["leading_group"].members) and len(communities) == 6
    assert set(bodies["squad"].members) == {"police", "commerce", "urban_mgmt", "politics_law"}
    posts = {post.id: post.body for post in XIYUAN.posts}
    assert (posts["leader"], posts["office-director"], posts["squad-leader"]) == ("leading-group", "office", "squad")
    assert XIYUAN.may_approve(["squad-leader"], "operation.start")
    assert not XIYUAN.may_approve(["squad-leader"], "seal.order")
    assert XIYUAN.may_approve(["desk", "head"], "seal.order")
    assert not XIYUAN.may_approve(["office-staff", "desk", "no-such-post"], "operation.start")


def test_x_p_five_phases_with_their_dates_and_duties() -> None:
    """X-P: publicity, survey, strike, clearing, creation, with the plan's days; duties follow the running phases."""
    days = {phase.id: ((phase.first.month, phase.first.day), (phase.last.month, phase.last.day))
            for phase in XIYUAN.phases}
    assert days == {
        "publicity": ((5, 11), (6, 30)), "survey": ((5, 21), (6, 10)), "strike": ((6, 10), (6, 30)),
        "clearing": ((6, 10), (7, 10)), "creation": ((6, 30), (8, 31)),
    }
    year = XIYUAN.year
    assert year is not None
    overlap = {phase.id for phase in XIYUAN.phases_on(date(year, 6, 10))}
    assert overlap == {"publicity", "survey", "strike", "clearing"}
    early = {duty.id for duty in XIYUAN.duties_of("c-meihong", date(year, 5, 25))}
    late = {duty.id for duty in XIYUAN.duties_of("c-meihong", date(year, 8, 1))}
    assert "d9-survey" in early and "d9-creation" not in early
    assert "d9-creation" in late and "d9-survey" not in late
    assert [XIYUAN.phase_state("strike", date(year, month, 15)) for month in (5, 6, 7)] == ["future", "running", "over"]


def test_x_p_the_year_is_assumed_and_said() -> None:
    """X-P: the plan gives no year; it is assumed and marked."""
    assert XIYUAN.year_assumed and XIYUAN.issued is None
    assert "2015" in notes(XIYUAN)["year-assumed"][0]
    assert [milestone.due.isoformat()[5:] for milestone in XIYUAN.milestones] == ["07-05", "07-10"]


def test_x_o1_and_x_g4_six_communities() -> None:
    """X-O1, X-G4: six communities, each an agency of its own area; their names are assumed and marked."""
    areas = {agency.area for agency in XIYUAN.agencies_of_kind("community")}
    assert areas == {area.id for area in XIYUAN.communities} and len(areas) == 6
    assert all(area.assumed for area in XIYUAN.communities)


def test_d_o1_the_joint_conference_and_its_office_at_the_commerce_branch() -> None:
    """D-O1: twelve and more departments; the office sits in the commerce branch."""
    conference = next(body for body in DAYONG.bodies if body.kind == "joint_conference")
    assert len(conference.members) >= 12
    assert {"politics_law", "commerce", "social_affairs", "police", "economy", "labour", "rental_mgmt", "food_drug",
            "transport", "propaganda", "education", "finance"} <= set(conference.members)
    assert DAYONG.office == "commerce" and DAYONG.agency("commerce").unit("office")


def test_d_o1_the_office_sees_all_and_members_see_theirs() -> None:
    """D-O1: reach of the office is the plan; a member's is its own agency; nobody else gets anything."""
    office = DAYONG.grants_for("commerce", ["office-staff"])
    assert (office["case.read"], office["score.read"], office["trace.read"]) == ("plan", "plan", "plan")
    for agency in DAYONG.members:
        if agency.kind == "community":
            continue
        member = DAYONG.grants_for(agency.id, ["desk"])
        assert member["case.read"] == "own_agency", agency.id
    # the office's post held elsewhere gives nothing of the office's
    assert "score.read" not in DAYONG.grants_for("transport", ["office-staff"])
    # tips are read only where reports are accepted
    readers = {agency.id for agency in DAYONG.members if "tip.read" in DAYONG.grants_for(agency.id, ["desk"])}
    assert readers == {"commerce", "police", "food_drug"}


@pytest.mark.parametrize("plan", PLANS.values(), ids=list(PLANS))
def test_rights_are_denied_by_default(plan: Plan) -> None:
    """D-O1, X-O1: no post or no agency means no right; an outside agency has only what names its kind, for its own cases."""
    assert plan.grants_for("no-such-agency", ["head"]) == {}
    for agency in plan.agencies:
        if agency.external:
            named = {right for grant in plan.grants if agency.kind in grant.to.kinds for right in grant.rights}
            by_name = {right for grant in plan.grants if agency.id in grant.to.agencies for right in grant.rights}
            held = plan.grants_for(agency.id, [post.id for post in plan.posts])
            assert set(held) <= named | by_name, agency.id
            assert {reach for right, reach in held.items() if right not in by_name} <= {"own_agency"}, agency.id
            assert plan.grants_for(agency.id, []) == {}
        else:
            bare = plan.grants_for(agency.id, [])
            assert set(bare) == {"plan.read", "notice.read", "notice.sign"}
            assert set(plan.grants_for(agency.id, [post.id for post in plan.posts])) <= set(RIGHTS)
    admins = [post.id for post in plan.posts if "directory.manage" in plan.grants_for("police", [post.id])]
    operators = [post.id for post in plan.posts if "ops.dlq" in plan.grants_for("police", [post.id])]
    assert (admins, operators) == (["system-admin"], ["operator"])


def test_with_two_posts_the_wider_reach_counts() -> None:
    both = DAYONG.grants_for("commerce", ["office-staff", "desk"])
    assert (both["tip.read"], both["case.read"]) == ("own_agency", "plan")
    assert DAYONG.grants_for("commerce", ["office-staff"])["tip.read"] == "own_unit"


@pytest.mark.parametrize(
    ("agency", "urgent", "rule"),
    [
        ("police", True, "plan.confinement_sign"),
        ("police", False, "plan.police_acceptance"),
        ("commerce", True, "plan.urgent_sign"),
        ("commerce", False, "complaint.accept"),
        ("transport", False, "plan.other_acceptance"),
    ],
)
def test_acceptance_follows_agency_and_urgency(agency: str, urgent: bool, rule: str) -> None:
    assert DAYONG.acceptance_rule(agency, urgent) == rule


def test_a_caller_cannot_change_what_the_plan_grants() -> None:
    DAYONG.grants_for("police", ["desk"])["tip.read"] = "all"
    assert DAYONG.grants_for("police", ["desk"])["tip.read"] == "own_agency"


@pytest.mark.parametrize(
    ("kinds", "channel", "urgent", "agency", "unit"),
    [
        ({"confinement"}, "web", True, "police", "criminal_investigation"),
        ({"confinement", "headcount"}, "12345", False, "police", "criminal_investigation"),
        (set(), "web", True, "police", "command_centre"),
        ({"headcount"}, "petition", False, "police", "petition"),
        ({"internet"}, "web", False, "police", "cyber"),
        ({"gathering"}, "patrol", False, "police", "station"),
        ({"headcount"}, "web", False, "police", "economic_crime"),
        ({"recruiting"}, "web", False, "police", "economic_crime"),
        ({"unspecified"}, "110", False, "police", "command_centre"),
        ({"health_products"}, "web", False, "food_drug", None),
        ({"entry_fee"}, "web", False, "commerce", "enforcement"),
        ({"unspecified"}, "web", False, "commerce", "enforcement"),
    ],
)
def test_d_b2_routing_inside_police_by_what_the_tip_shows(
    kinds: set[str], channel: str, urgent: bool, agency: str, unit: str | None
) -> None:
    """D-B2: the units of the police by what the tip shows, with the reason and every rule that was tried."""
    routing = DAYONG.route(RoutingFacts(frozenset(kinds), urgent, "dayong-antang", channel))
    assert (routing.agency, routing.unit) == (agency, unit)
    assert routing.reason_zh and routing.reason_en
    outcomes = [step.outcome for step in routing.steps]
    assert len(outcomes) == len(DAYONG.routing) and outcomes.count("matched") == 1
    place = outcomes.index("matched")
    assert routing.steps[place].rule == routing.rule
    assert set(outcomes[:place]) <= {"skipped"} and set(outcomes[place + 1 :]) <= {"not_reached"}
    assert all(step.why and step.why_en for step in routing.steps)


def test_d_b2_confinement_alerts_the_command_centre_even_without_a_place() -> None:
    """D-B2: a confinement tip never waits for its place to be found; dispatch rings beside criminal investigation."""
    routing = DAYONG.route(RoutingFacts(frozenset({"confinement"}), True, None, "petition"))
    assert (routing.unit, routing.dispatch) == ("criminal_investigation", "command_centre")


def test_d_f_health_products_go_to_food_and_drug_with_commerce() -> None:
    """D-F: food and drug leads, commerce joins."""
    routing = DAYONG.route(RoutingFacts(frozenset({"health_products"}), area="dayong"))
    roles = {party.agency: party.role for party in routing.parties}
    assert roles["food_drug"] == "lead" and roles["commerce"] == "co"


@pytest.mark.parametrize("plan", PLANS.values(), ids=list(PLANS))
@pytest.mark.parametrize("kind", TIP_KINDS)
@pytest.mark.parametrize("known", [True, False], ids=["area", "no-area"])
def test_every_lead_has_police_and_commerce_as_parties_and_one_leader(plan: Plan, kind: str, known: bool) -> None:
    area = plan.areas[0].id if known else None
    routing = plan.route(RoutingFacts(frozenset({kind}), area=area))
    agencies = [party.agency for party in routing.parties]
    assert {"police", "commerce"} <= set(agencies) and len(agencies) == len(set(agencies))
    assert [party.role for party in routing.parties].count("lead") == 1
    if not known and kind != "confinement":
        assert routing.agency == plan.office


def test_an_irrelevant_matter_goes_nowhere_but_is_told_its_place() -> None:
    routing = DAYONG.route(RoutingFacts(relevant=False, belongs_to="labour", urgent=False))
    assert (routing.agency, routing.unit, routing.parties) == (None, None, ())
    assert routing.referral_zh and "劳动监察" in routing.referral_zh
    unknown = DAYONG.route(RoutingFacts(relevant=False, belongs_to="no-such-topic"))
    assert unknown.referral_topic == "other" and unknown.referral_zh


def test_d_m1_duties_reach_every_member_and_every_community() -> None:
    """D-M1: the joint conference puts duties on departments and down to the communities; who has none is said."""
    without = {agency.id for agency in DAYONG.members if not DAYONG.duties_of(agency.id)}
    assert without == {"economy"}
    assert any("economy" in text for text in notes(DAYONG)["no-duty"])
    for community in DAYONG.agencies_of_kind("community"):
        assert {"D-M3", "D-M4", "D-M6"} <= {duty.clause for duty in DAYONG.duties_of(community.id)}
    assert next(post for post in DAYONG.posts if post.id == "leader").clause == "D-M1"


def test_the_agencies_without_duty_are_the_two_the_texts_leave_out() -> None:
    """D-O1, X-O1: 经发科信局 and 财经科 are members without any duty."""
    assert len(notes(DAYONG)["no-duty"]) == 1 and len(notes(XIYUAN)["no-duty"]) == 1
    assert "Finance section" in notes(XIYUAN)["no-duty"][0]


def test_d_m3_three_levels_of_area_body_and_patrol_force() -> None:
    """D-M3: town government, communities, wardens and watch teams."""
    town, community, patrol = DAYONG.control_levels
    assert (town.area_level, community.area_level) == ("town", "community")
    assert community.kinds == ("community",)
    assert {force.zh for force in patrol.forces} == {"出租屋综合协管员", "治安联防队"}
    assert all(DAYONG.within(area.id, "dayong") for area in DAYONG.communities)
    assert len({area.code for area in DAYONG.areas}) == len(DAYONG.areas)


def test_d_p_three_phases_and_the_citys_dates() -> None:
    """D-P: mobilisation, implementation, application; recognition by mid December, application by its end."""
    assert [(phase.first, phase.last) for phase in DAYONG.phases] == [
        (date(2015, 10, 1), date(2015, 10, 10)),
        (date(2015, 10, 11), date(2015, 11, 20)),
        (date(2015, 11, 21), date(2015, 12, 10)),
    ]
    due = {milestone.id: milestone.due for milestone in DAYONG.milestones}
    assert due["summary"] == date(2015, 11, 30)
    assert due["city-recognition"] == date(2015, 12, 20) and due["province-application"] == date(2015, 12, 31)
    assert {duty.id for duty in DAYONG.duties_of("transport", date(2015, 12, 1))} == {"j", "p3"}
    assert len(notes(DAYONG)["third-of-month"]) == 3


def test_d_r_explicit_dates_win_over_the_rule() -> None:
    """D-R: four Thursdays, although the plan says Friday; the check says so and the dates stand."""
    dates = (date(2015, 10, 15), date(2015, 10, 29), date(2015, 11, 12), date(2015, 11, 26))
    assert DAYONG.report_dates() == dates
    assert {day.weekday() for day in dates} == {3}
    (text,) = notes(DAYONG)["weekday-mismatch"]
    assert "Thursdays, not Fridays" in text and "explicit dates win" in text
    assert "economy" in DAYONG.reporters() and DAYONG.office not in DAYONG.reporters()


def test_d_r_nothing_before_the_day_of_issue_is_late() -> None:
    """D-R, D-P: issued 2015-10-19, after the first phase and the first report date; not scored as late."""
    (text,) = notes(DAYONG)["issued-late"]
    assert "2015-10-19" in text and "Mobilisation" in text and "2015-10-15" in text and "not scored as late" in text
    assert DAYONG.reporting and DAYONG.reporting.late_counts_from == date(2015, 10, 19)


def test_d_k2a_subscriber_data_is_asked_for_only_with_an_approver() -> None:
    """D-K2a: the carriers are outside the plan and hold no right; a request needs a post that may approve it."""
    assert DAYONG.agency("telecom").external and DAYONG.grants_for("telecom", ["head"]) == {}
    approvers = {post.id for post in DAYONG.posts if DAYONG.may_approve([post.id], "information.request")}
    assert approvers == {"head", "office-director"}


def test_d_e2_patrol_tiers_and_d_q1_conditions_and_ladder_are_data() -> None:
    """D-E2, D-Q1, D-C1: two months, one month, half a month; eight conditions, six tools, 1 of 100."""
    tiers = {tier.id: tier.every.model_dump(exclude_none=True) for tier in DAYONG.patrol_tiers}
    assert tiers == {"trusted": {"months": 2}, "ordinary": {"months": 1}, "key": {"half_months": 1}}
    assert [tier.id for tier in DAYONG.patrol_tiers if tier.after_den] == ["key"]
    assessment = DAYONG.scoring.assessment
    assert assessment and (assessment.weight, assessment.out_of) == (1, 100)
    assert (len(assessment.conditions), len(assessment.ladder)) == (8, 6)
    assert [step.name.zh for step in assessment.ladder] == [
        "沟通警示", "诫勉谈话", "黄牌警告", "处分建议", "重点挂牌整治", "一票否决",
    ]


def test_x_s1_and_d_l_funds() -> None:
    """X-S1, D-L: 100,000 yuan in Xiyuan; Dayong names no sum but pays rewards from its fund."""
    assert XIYUAN.funds[0].yuan == 100_000
    assert DAYONG.funds[0].yuan is None and DAYONG.funds[0].pays_rewards and DAYONG.funds[0].keeper == "finance"


@pytest.mark.parametrize("plan", PLANS.values(), ids=list(PLANS))
def test_a_plan_of_the_past_still_routes_and_opens_clocks_today(plan: Plan) -> None:
    now = datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)
    assert all(plan.phase_state(phase.id, TODAY) == "over" for phase in plan.phases)
    for agency in plan.members:
        for urgent in (False, True):
            rule = plan.limit(plan.acceptance_rule(agency.id, urgent), TODAY, LAW)
            deadline, _ = open_deadline(id="1", kind="acceptance", rule=rule, start=now, calendar=WorkingCalendar())
            assert deadline.due > now and not deadline.provisional
            if urgent:
                assert (deadline.due - now).total_seconds() <= 1800
    confined = plan.limit(plan.acceptance_rule("police", True), TODAY, LAW)
    assert confined.unit == "minutes" and "plan" in confined.rule_id


@pytest.mark.parametrize("plan", PLANS.values(), ids=list(PLANS))
def test_scoring_has_a_line_for_every_outcome_of_acceptance_and_marks_points_assumed(plan: Plan) -> None:
    points = [plan.score_line("acceptance", outcome) for outcome in ("met", "met_late", "missed")]
    assert all(line and line.assumed for line in points)
    timely, late, missed = (line.points for line in points if line)
    assert timely > 0 > late > missed
    assert plan.score_line("acceptance", "cancelled") is None


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("大涌镇有人在出租屋上课", "dayong"),
        ("住大涌镇安堂社区某路旁边的楼", "dayong-antang"),
        ("岚田村那栋楼", "dayong-lantian"),
        ("442000116005", "dayong-qinggang"),
        ("dayong-dieshi", "dayong-dieshi"),
        ("Nanwen Community, Dayong town", "dayong-nanwen"),
        ("别的城市", None),
        ("", None),
        (None, None),
    ],
)
def test_areas_are_recognised_in_text_and_by_code(text: str | None, area: str | None) -> None:
    assert DAYONG.area_of(text) == area


@pytest.mark.parametrize(("plan", "prefix"), [(DAYONG, "D-"), (XIYUAN, "X-")], ids=["dayong", "xiyuan"])
def test_every_clause_of_the_spec_has_a_place_in_its_plan(plan: Plan, prefix: str) -> None:
    spec = Path("/work/shared/spec/clauses.md")
    if not spec.exists():
        pytest.skip("the clause list is not on this machine")
    wanted = {found for found in re.findall(r"^\| ([XD]-[\w.]+) \|", spec.read_text(encoding="utf-8"), re.M)
              if found.startswith(prefix)}
    given = set(re.findall(rf'"({prefix}[\w.]+)"', plan.model_dump_json()))
    assert wanted - given == set() and given - wanted <= {"D-Q1"}


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("从安堂社区搬到岚田村", "dayong-antang"),  # the first of two on the same level
        ("大涌镇旁边的安堂社区", "dayong-antang"),  # the deeper one, wherever it stands
        ("mydayongs", None),  # latin names only as whole words
        ("中山大涌那边", "dayong"),
    ],
)
def test_the_deepest_then_the_first_place_counts(text: str, area: str | None) -> None:
    assert DAYONG.area_of(text) == area
