"""A plan with a mistake is refused, and the message names file and line, what is wrong and what to do."""

import shutil
from pathlib import Path

import pytest

from shared.rules.law import LawBook
from shared.rules.plan import PlanError, check_plan, load_plan, load_plans

DEPLOY = Path(__file__).parents[3] / "deploy"
LAW = LawBook.load(DEPLOY / "law")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "dayong"
    shutil.copytree(DEPLOY / "plans" / "dayong", target)
    return target


def line_of(path: Path, text: str) -> int:
    return next(n for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if text in line)


# file, text to replace, replacement, text in the line that is told (empty: the replaced line), code, what is said
MISTAKES = [
    ("routing.yaml", "to: {agency: food_drug}", "to: {agency: food_durg}", "food_durg", "unknown-agency", "food_drug"),
    ("routing.yaml", "unit: cyber}\n", "unit: ciber}\n", "ciber", "unknown-unit", "cyber"),
    ("routing.yaml", "kinds_any: [internet]", "kinds_any: [internett]", "internett", "unknown-tip-kind", "internet"),
    ("routing.yaml", "channels: [petition]", "channels: [petitions]", "petitions", "unknown-channel", "petition"),
    ("routing.yaml", "when: {area: missing}", "when: {area: lost}", "area: lost", "literal-error", "missing"),
    ("routing.yaml", "to: {agency: food_drug}", "to: {agency: city_office}", "to: {agency: city_office}",
     "external-agency", "outside"),
    ("routing.yaml", "  - id: internet", "  - id: petition", "", "duplicate-id", "already used"),
    ("routing.yaml", "refer: true", "refer: false", "id: irrelevant", "value-error", "refer"),
    ("routing.yaml", "  - {topic: rural", "  - {topic: rurall", "rurall", "unknown-referral-topic", "rural"),
    ("agencies.yaml", "  - id: transport", "  - id: police", "", "duplicate-id", "already used"),
    ("agencies.yaml", "kind: transport", "kind: trains", "kind: trains", "unknown-agency-kind", "trains"),
    ("agencies.yaml", "area: dayong-antang", "area: dayong-atang", "dayong-atang", "unknown-area", "dayong-antang"),
    ("areas.yaml", 'code: "442000116003"', "code: 44200", "code: 44200", "string-type", "code"),
    ("areas.yaml", "parent: dayong, code: \"442000116001\"", "parent: nowhere, code: \"442000116001\"", "nowhere",
     "unknown-area", "nowhere"),
    ("areas.yaml", "安堂村", "岚田村", "id: dayong-lantian", "area-word", "岚田村"),
    ("calendar.yaml", "due: 2015-11-30", "due: 2015-11-31", "2015-11-31", "value-error", "2015-11-31"),
    ("calendar.yaml", "from: 2015-10-上旬", "from: 十月上旬", "十月上旬", "value-error", "2015-10-上旬"),
    ("calendar.yaml", "to: 2015-12-10", "to: 2015-11-10", "id: recognition", "value-error", "after"),
    ("calendar.yaml", "every: {half_months: 1}", "every: {half_months: 1, days: 3}", "days: 3", "value-error", "one"),
    ("calendar.yaml", "2015-11-12, 2015-11-26", "2015-11-26, 2015-11-12", "dates:", "dates-order", "early"),
    ("duties.yaml", "clause: D-G, agencies: [social_affairs]", "clause: D-G, agencies: []", "id: g,", "value-error",
     "duty"),
    ("duties.yaml", "phases: [mobilise], text", "phases: [mobilize], text", "mobilize", "unknown-phase", "mobilise"),
    ("bodies.yaml", "approves: [report.issue", "approves: [report.isue", "report.isue", "unknown-approval",
     "report.issue"),
    ("bodies.yaml", "host: commerce", "host: comerce", "host: comerce", "unknown-agency", "commerce"),
    ("access.yaml", "tip.triage: own_agency", "tip.triage: own_town", "own_town", "unknown-reach", "own_town"),
    ("access.yaml", "directory.manage: plan", "directory.rule: plan", "directory.rule", "unknown-right",
     "directory.rule"),
    ("access.yaml", "duties: [D-A5,", "duties: [D-A55,", "D-A55", "unknown-duty-clause", "D-A5"),
    ("access.yaml", "to: {everyone: true}", "to: {}", "to: {}", "value-error", "to whom"),
    ("deadlines.yaml", "rule: complaint.accept}", "rule: complaint.acept}", "complaint.acept", "unknown-time-rule",
     "complaint.accept"),
    ("deadlines.yaml", "unit: minutes", "unit: yuan", "unit: yuan", "no-clock", "time"),
    ("deadlines.yaml", "    - {rule: plan.other_acceptance}\n", "", "acceptance:", "no-last-acceptance", "last"),
    ("scoring.yaml", "points: -2", "points: minus two", "minus two", "int-parsing", "points"),
    ("plan.yaml", "level: town", "levle: town", "levle", "extra-forbidden", "levle"),
    ("plan.yaml", "id: dayong", "id: 大涌", "id: 大涌", "string-pattern-mismatch", "id"),
    ("plan.yaml", "year: 2015", "year: 2015\nphases: []", "phases: []", "duplicate-key", "calendar.yaml"),
    ("ladder.yaml", "rule: plan.climb_head", "rule: plan.climb_haed", "climb_haed", "unknown-time-rule", "climb_head"),
    ("ladder.yaml", "to: head, post: head", "to: head, post: haed", "post: haed", "unknown-post", "head"),
    ("ladder.yaml", "to: head, post: head,", "to: head,", "to: head,", "value-error", "post"),
    ("ladder.yaml", "{to: office, rule: plan.climb_office,", "{to: deputy, rule: plan.climb_office,",
     "to: deputy, rule: plan.climb_office", "rung-order", "each rung once"),
    ("ladder.yaml", "rule: plan.climb_office,", "rule: plan.climb_urgent_office,", "rule: plan.climb_urgent_office,",
     "rung-unit", "working_days"),
    ("ladder.yaml", 'at: "08:30"', 'at: "8.30"', "8.30", "value-error", "08:30"),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=[f"{m[0]}:{m[2].strip()[:30] or 'cut'}" for m in MISTAKES])
def test_a_mistake_is_told_at_its_line(folder: Path, mistake: tuple[str, str, str, str, str, str]) -> None:
    name, old, new, told, code, says = mistake
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    at = text[: text.index(old)].count("\n") + 1
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    line = line_of(path, told) if told else at
    found = [finding for finding in check_plan(folder, LAW) if finding.severity == "error"]
    hits = [finding for finding in found if finding.code == code]
    assert f"dayong/{name}:{line}" in {str(finding.where) for finding in hits}, [
        (str(f.where), f.code, f.text_en) for f in found
    ]
    assert any(says in finding.text_en and finding.text_zh for finding in hits)
    with pytest.raises(PlanError) as problem:
        load_plan(folder, LAW)
    assert f"dayong/{name}:{line}" in str(problem.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("areas:\n  - {id: a, name: [\n", 3),
        ("areas:\n  - id: a\n   name: b\n", 3),
        ("areas:\n\t- id: a\n", 2),
        ("areas: []\nareas: []\n", 2),
        ("areas: !!python/object:os.system [x]\n", 1),
        ("- just\n- a list\n", 1),
        ("just text\n", 1),
    ],
)
def test_broken_yaml_is_told_at_its_line(folder: Path, text: str, line: int) -> None:
    (folder / "areas.yaml").write_text(text, encoding="utf-8")
    found = check_plan(folder)
    assert f"dayong/areas.yaml:{line}" in {str(f.where) for f in found if f.severity == "error"}, found


def test_a_file_in_another_encoding_is_told(folder: Path) -> None:
    (folder / "areas.yaml").write_bytes("areas:\n  - 大涌镇\n".encode("gb18030"))
    assert [(str(f.where), f.code) for f in check_plan(folder)] == [("dayong/areas.yaml:2", "not-utf8")]


def test_several_mistakes_are_told_together(folder: Path) -> None:
    routing = folder / "routing.yaml"
    routing.write_text(
        routing.read_text(encoding="utf-8").replace("agency: commerce", "agency: comerce"), encoding="utf-8"
    )
    assert len([f for f in check_plan(folder) if f.code == "unknown-agency"]) > 5


def test_circles_of_areas_are_refused(folder: Path) -> None:
    areas = folder / "areas.yaml"
    text = areas.read_text(encoding="utf-8").replace("level: town,", "level: town, parent: dayong-antang,")
    areas.write_text(text, encoding="utf-8")
    assert "area-loop" in {finding.code for finding in check_plan(folder)}


def test_a_folder_without_a_plan_and_a_folder_with_another_name(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert [finding.code for finding in check_plan(tmp_path / "empty")] == ["no-plan"]
    folder.rename(tmp_path / "other")
    with pytest.raises(PlanError, match="folder"):
        load_plans(tmp_path)
    with pytest.raises(PlanError):
        load_plans(tmp_path, ["absent"])


def test_a_month_and_day_without_any_year_is_refused(folder: Path) -> None:
    plan = folder / "plan.yaml"
    plan.write_text(plan.read_text(encoding="utf-8").replace("year: 2015\n", ""), encoding="utf-8")
    calendar = folder / "calendar.yaml"
    calendar.write_text(
        calendar.read_text(encoding="utf-8").replace("to: 2015-12-10", "to: 12-10"), encoding="utf-8"
    )
    (found,) = check_plan(folder)
    assert found.where.file == "dayong/calendar.yaml" and "year" in found.text_en
