"""`./dachuan plan check | show | route | new` as people and scripts use them."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.cli.plan import app
from shared.rules.law import LawBook
from shared.rules.plan import RoutingFacts, check_plan, load_plan

DEPLOY = Path(__file__).parents[3] / "deploy"


@pytest.fixture(autouse=True)
def _own_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DACHUAN_PLANS_DIR", raising=False)
    monkeypatch.delenv("DACHUAN_LAW_DIR", raising=False)


def run(*words: str, answers: str | None = None) -> Result:
    return CliRunner().invoke(app, list(words), input=answers)


def test_check_says_what_is_odd_about_the_shipped_plans() -> None:
    """D-R, D-P, X-P: Thursdays; issued late; no duty; no year; thirds of a month."""
    result = run("check")
    assert result.exit_code == 0
    for words in ("星期四，不是星期五", "以列明的日期为准", "2015-10-19", "不按迟报", "经发科信局", "财经科", "没有写年份",
                  "上旬 1–10 日、中旬 11–20 日、下旬 21 日至月底"):
        assert words in result.output, words
    listed = json.loads(run("check", "--json").stdout)
    assert {entry["plan"]: entry["ok"] for entry in listed} == {"dayong": True, "xiyuan": True}
    codes = {finding["code"] for entry in listed for finding in entry["findings"]}
    assert {"weekday-mismatch", "issued-late", "no-duty", "year-assumed", "third-of-month", "assumed"} <= codes
    assert all(finding["line"] >= 1 and finding["file"] for entry in listed for finding in entry["findings"])


def test_check_of_a_bad_folder_fails_with_the_line(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(DEPLOY / "plans" / "xiyuan", folder)
    access = folder / "access.yaml"
    access.write_text(access.read_text(encoding="utf-8").replace("kinds: [community]", "kinds: [comunity]"), "utf-8")
    result = run("check", str(folder))
    assert result.exit_code == 1 and "mine/access.yaml:" in result.output and "community" in result.output
    (entry,) = json.loads(run("check", str(folder), "--json").stdout)
    assert entry["ok"] is False


def test_an_unknown_plan_lists_those_there_are() -> None:
    result = run("show", "nowhere")
    assert result.exit_code == 1 and "dayong" in result.stderr


def test_show_tells_which_phases_run_on_a_day() -> None:
    data = json.loads(run("show", "dayong", "--on", "2015-11-01", "--json").stdout)
    assert data["phases"] == {"mobilise": "over", "implement": "running", "recognition": "future"}
    assert data["office"] == "commerce" and len(data["report_dates"]) == 4
    plain = run("show", "xiyuan")
    assert plain.exit_code == 0 and "已结束" in plain.output and "领导小组办公室" in plain.output
    assert run("show", "dayong", "--on", "昨天").exit_code == 2


def test_d_b2_route_shows_the_unit_the_reason_and_every_step() -> None:
    """D-B2, through the command: a confinement tip goes to criminal investigation in minutes."""
    words = ("route", "--text", "我被传销的人关在安堂社区一间出租屋，手机被没收，出不去，救命", "--plan", "dayong")
    data = json.loads(run(*words, "--json").stdout)
    assert data["urgent"] and "confinement" in data["kinds"] and data["area"] == "dayong-antang"
    assert (data["routing"]["agency"], data["routing"]["unit"]) == ("police", "criminal_investigation")
    assert data["routing"]["dispatch"] == "command_centre"
    assert {step["outcome"] for step in data["routing"]["steps"]} == {"skipped", "matched", "not_reached"}
    assert data["acceptance"]["rule"] == "plan.confinement_sign"
    plain = run(*words)
    assert plain.exit_code == 0 and "刑侦部门" in plain.output and "命中" in plain.output


def test_route_of_an_irrelevant_message_tells_its_place() -> None:
    data = json.loads(run("route", "--text", "小区门口的公交车班次太少，上班等很久", "--json").stdout)
    assert data["relevant"] is False and data["routing"]["agency"] is None
    assert data["routing"]["referral_zh"] and data["acceptance"] is None


def test_route_refuses_unknown_areas_and_channels() -> None:
    assert run("route", "--text", "传销", "--area", "火星").exit_code == 2
    assert run("route", "--text", "传销", "--channel", "pigeon").exit_code == 2


@pytest.mark.parametrize("host", ["commerce", "politics_law", "office"])
def test_new_writes_a_plan_that_passes_the_check_and_routes(tmp_path: Path, host: str) -> None:
    result = run("new", "--id", "hill-town", "--area", "山脚镇", "--communities", "东村，西村、南村", "--host", host,
                 "--from", "2027-03-01", "--fund", "50000", "--dir", str(tmp_path), "--yes")
    assert result.exit_code == 0, result.output
    law = LawBook.load(DEPLOY / "law")
    assert {finding.severity for finding in check_plan(tmp_path / "hill-town", law)} <= {"info"}
    plan = load_plan(tmp_path / "hill-town", law)
    assert plan.delivery.quiet is not None and len(list((tmp_path / "hill-town").iterdir())) == len(list((DEPLOY / "plans" / "template").iterdir()))
    assert [area.name.zh for area in plan.communities] == ["东村", "西村", "南村"]
    assert plan.office == host and plan.funds[0].yuan == 50000
    assert plan.area_of("山脚镇西村") == plan.communities[1].id
    assert plan.route(RoutingFacts(frozenset({"confinement"}), True)).unit == "criminal_investigation"
    missing = plan.route(RoutingFacts(frozenset({"headcount"})))
    assert missing.agency == host and {"police", "commerce"} <= {party.agency for party in missing.parties}
    assert plan.grants_for(host, ["office-staff"])["case.read"] == "plan"


def test_new_asks_with_defaults_and_never_overwrites(tmp_path: Path) -> None:
    answers = "lake\n湖边镇\n\n甲社区,乙社区\ncommerce,police\n\n"
    first = run("new", "--dir", str(tmp_path), answers=answers)
    assert first.exit_code == 0 and load_plan(tmp_path / "lake").name.zh == "湖边镇打击传销工作方案"
    before = (tmp_path / "lake" / "plan.yaml").read_bytes()
    again = run("new", "--dir", str(tmp_path), answers=answers)
    assert again.exit_code == 1 and (tmp_path / "lake" / "plan.yaml").read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        ("--id", "Hill Town"),
        ("--id", "../up"),
        ("--id", "template"),
        ("--agencies", "commerce,navy"),
        ("--from", "2027-02-30"),
        ("--host", "police"),
        ("--level", "galaxy"),
        ("--communities", "，、"),
        ("--area", "镇"),
    ],
)
def test_new_refuses_bad_answers_and_writes_nothing(tmp_path: Path, words: tuple[str, str]) -> None:
    result = run("new", *words, "--dir", str(tmp_path / "plans"), "--yes")
    if words == ("--area", "镇"):  # short but usable
        assert result.exit_code == 0
        return
    assert result.exit_code == 1 and not (tmp_path / "plans").exists()


def test_new_takes_any_name_as_plain_text(tmp_path: Path) -> None:
    odd = '石{{ 7*7 }}"镇: #1'
    assert run("new", "--id", "odd", "--area", odd, "--dir", str(tmp_path), "--yes").exit_code == 0
    assert load_plan(tmp_path / "odd").areas[0].name.zh == odd
