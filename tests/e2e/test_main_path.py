"""The main job on real parts: messages in by the command, out as leads, joint cases, notices and score entries."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import xlsxwriter

from deploy.local.state import REPOSITORY, SERVICES
from tests.instances import Stack
from tests.patience import PATIENCE_S

SAMPLES = REPOSITORY / "deploy" / "samples"
GIVEN = REPOSITORY.parent / "shared" / "data"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def run(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """`./dachuan`'s commands, as another system's operator would use them: addresses and an OAuth client."""
    admin = stack.bearer(agency="commerce", unit="office", posts=("system-admin",), principal_id="admin")
    made = httpx.post(
        f"{stack.url('notify')}/v1/directory/systems",
        json={
            "client_id": f"board-{uuid.uuid4().hex[:8]}",
            "plan": "dayong",
            "agency": "commerce",
            "scopes": ["tip.submit", "trace.read:plan"],
        },
        headers={**admin, "idempotency-key": uuid.uuid4().hex},
    )
    assert made.status_code == 201, made.text
    director = stack.bearer(agency="commerce", unit="office", posts=("office-director",), principal_id="director")
    approved = httpx.post(
        f"{stack.url('notify')}/v1/directory/systems/{made.json()['id']}/approve", headers=director | {"if-match": '"1"'}
    )
    assert approved.status_code == 200, approved.text
    env = {
        **os.environ,
        "PYTHONPATH": str(REPOSITORY),
        "COLUMNS": "200",
        "DACHUAN_HOME": str(tmp_path_factory.mktemp("home")),
        "DACHUAN_CLIENT_ID": made.json()["client_id"],
        "DACHUAN_CLIENT_SECRET": made.json()["client_secret"],
        **{f"DACHUAN_{name.upper()}_URL": stack.url(name) for name in SERVICES},
    }

    def command(*words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", "-m", "deploy.cli", *map(str, words)],
            env={**env, **more}, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    return command


def facts(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def rows(count: int) -> list[dict[str, str]]:
    tag = uuid.uuid4().hex[:6]
    return [
        {
            "id": f"{tag}-{n}",
            "posted_at": "2026-09-01T10:00:00+08:00",
            "subject": "举报",
            "text": f"安堂社区兴华里{n + 1}栋301有人搞传销，每天拉人头听课，发展下线，每人交3900元",
        }
        for n in range(count)
    ]


def jsonl(path: Path, lines: list[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def journey(run: Run, what: str, until: str) -> list[dict[str, Any]]:
    """The steps of one tip, once a step has been reached."""
    end = time.monotonic() + PATIENCE_S
    while True:
        done = run("trace", what, "--json")
        steps = facts(done)["steps"] if done.stdout else []
        if any(step["step"] == until for step in steps):
            return steps
        assert time.monotonic() < end, f"{until} was not reached; {[s['step'] for s in steps]} {done.stderr}"
        time.sleep(0.5)


def accept(stack: Stack, case_id: str, agency: str, unit: str | None) -> dict[str, Any]:
    url = f"{stack.url('casework')}/v1/cases/{case_id}"
    officer = stack.bearer(agency=agency, unit=unit, posts=("head", "desk"), principal_id=f"o-{agency}")
    seen = httpx.get(url, headers=officer)
    assert seen.status_code == 200, seen.text
    done = httpx.post(
        f"{url}/acceptance",
        headers={**officer, "if-match": seen.headers["etag"], "idempotency-key": uuid.uuid4().hex},
        json={},
    )
    assert done.status_code == 200, done.text
    return done.json()


def test_one_message_goes_from_the_file_to_the_feed(stack: Stack, run: Run, tmp_path: Path) -> None:
    """D-N3, D-B6: a lead opens a joint case of police and commerce; acceptance in time becomes the unit's score."""
    file = jsonl(tmp_path / "one.jsonl", rows(1))
    told = facts(run("import", file, "--plan", "dayong", "--channel", "message-board", "--json"))
    assert (told["created"], told["leads"], told["rejected"]) == (1, 1, 0)
    steps = journey(run, told["example"], "notice.created")
    case = next(step for step in steps if step["step"] == "case.opened")
    assert {"police", "commerce"} <= set(case["facts"]["parties"].split(","))
    accepted = accept(stack, case["object_id"], "commerce", None)
    party = next(p for p in accepted["parties"] if p["agency"] == "commerce")
    assert party["state"] == "accepted"
    steps = journey(run, told["example"], "score.recorded")
    services = {step["service"] for step in steps}
    assert services == set(SERVICES)
    times = [step["at"] for step in steps]
    assert times == sorted(times)
    central = stack.bearer(agency="commerce", unit="office", posts=("office-director",), principal_id="central")
    entries = httpx.get(f"{stack.url('scoring')}/v1/ledger", headers=central, params={"limit": 200}).json()["items"]
    assert [entry for entry in entries if entry["case_id"] == case["object_id"] and entry["agency"] == "commerce"]
    feed = httpx.get(f"{stack.url('scoring')}/v1/feed", headers=central).json()
    assert [unit for unit in feed["items"] if unit["agency"] == "commerce"]
    human = run("trace", told["example"])
    assert human.returncode == 0 and case["facts"]["number"] in human.stdout


def test_repeating_an_import_doubles_nothing(run: Run, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "again.jsonl", rows(12))
    first = facts(run("import", file, "--channel", "12345", "--json"))
    again = facts(run("import", file, "--channel", "12345", "--json"))
    assert (first["created"], first["already_there"]) == (12, 0)
    assert (again["created"], again["already_there"]) == (0, 12)


def test_a_dry_run_keeps_nothing(run: Run, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "dry.jsonl", rows(5))
    dry = facts(run("import", file, "--dry-run", "--json"))
    real = facts(run("import", file, "--json"))
    assert dry["created"] == 5 and dry["leads"] == 5 and (real["created"], real["already_there"]) == (5, 0)
    assert dry["example"] is None, "nothing was kept that could be followed"
    after = facts(run("import", file, "--dry-run", "--json"))
    assert (after["created"], after["already_there"], after["leads"]) == (0, 5, 5)
    assert run("trace", after["example"]).returncode == 0


def test_a_broken_off_import_goes_on_where_it_was(stack: Stack, run: Run, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "long.jsonl", rows(30))
    whole = run("import", file, "--batch", "10", "--json", DACHUAN_INTAKE_URL=stack.url("notify"))
    assert whole.returncode == 1 and "run the same command again" in whole.stderr
    told = facts(run("import", file, "--batch", "10", "--json"))
    assert told["created"] == 30


def test_wrong_rows_come_back_with_row_field_and_reason(run: Run, tmp_path: Path) -> None:
    good = rows(3)
    lines = [
        json.dumps(good[0], ensure_ascii=False),
        "{half a line",
        json.dumps({**good[1], "area": "亚特兰蒂斯"}, ensure_ascii=False),
        json.dumps({**good[2], "posted_at": "yesterday"}, ensure_ascii=False),
        json.dumps({"id": "x", "subject": "no text"}, ensure_ascii=False),
    ]
    file = tmp_path / "mixed.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    done = run("import", file, "--json")
    told = facts(done)
    assert done.returncode == 3 and (told["created"], told["rejected"]) == (1, 4)
    with open(told["rejects_file"], encoding="utf-8-sig", newline="") as listed:
        found = [(row["row"], row["field"]) for row in csv.DictReader(listed)]
    assert sorted(found) == [("2", "line"), ("3", "area"), ("4", "posted_at"), ("5", "text")]


def test_csv_and_xlsx_say_the_same_as_jsonl(run: Run, tmp_path: Path) -> None:
    lines = rows(4)
    with open(tmp_path / "m.csv", "w", encoding="gb18030", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["留言编号", "留言时间", "留言主题", "留言详情", "别的"])
        writer.writerows([line["id"], "2026/9/1 10:00", line["subject"], line["text"], "-"] for line in lines[:2])
    book = xlsxwriter.Workbook(tmp_path / "m.xlsx")
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["id", "posted_at", "subject", "text"])
    for number, line in enumerate(lines, 1):
        sheet.write_row(number, 0, [line["id"], "2026-09-01 10:00", line["subject"], line["text"]])
    book.close()
    by_csv = facts(run("import", tmp_path / "m.csv", "--channel", "letter", "--json"))
    by_xlsx = facts(run("import", tmp_path / "m.xlsx", "--channel", "letter", "--json"))
    assert (by_csv["created"], by_xlsx["created"] + by_xlsx["already_there"], by_xlsx["rejected"]) == (2, 4, 0)


def test_a_half_written_workbook_is_refused_as_a_whole(run: Run, tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(tmp_path / "whole.xlsx")
    book.add_worksheet().write_row(0, 0, ["id", "text"])
    book.close()
    raw = (tmp_path / "whole.xlsx").read_bytes()
    (tmp_path / "half.xlsx").write_bytes(raw[: len(raw) // 2])
    (tmp_path / "nothing.csv").write_text("colour,size\nred,1\n")
    (tmp_path / "open.csv").write_text('id,text\n1,"never closed\n')
    for name, word in (("half.xlsx", "saved completely"), ("nothing.csv", "no column"), ("open.csv", "quote")):
        done = run("import", tmp_path / name, "--json")
        assert done.returncode == 2 and word in done.stderr, (name, done.stderr)
        assert "Traceback" not in done.stderr


def test_the_shipped_samples_come_in(run: Run) -> None:
    gold = json.loads((SAMPLES / "messages.gold.json").read_text())
    told = facts(run("import", SAMPLES / "messages.jsonl", "--plan", "dayong", "--channel", "message-board", "--json"))
    assert told["rejected"] == 0 and told["created"] + told["already_there"] == told["rows"]
    assert told["leads"] >= len(gold["pyramid"]) and told["urgent"] >= len(gold["urgent"])


@pytest.mark.skipif(not (GIVEN / "citizen-messages.jsonl").exists(), reason="the real messages are not on this machine")
def test_the_real_messages_come_in(run: Run) -> None:
    gold = json.loads((GIVEN / "citizen-messages.gold.json").read_text())
    told = facts(
        run("import", GIVEN / "citizen-messages.jsonl", "--plan", "dayong", "--channel", "message-board", "--json")
    )
    assert told["rejected"] == 0 and told["created"] + told["already_there"] == 237
    assert told["leads"] >= len(gold["pyramid"]) and told["urgent"] >= len(gold["urgent"])


def test_what_is_not_known_is_said(run: Run) -> None:
    done = run("trace", str(uuid.uuid4()))
    assert done.returncode == 4 and "nothing is known" in done.stderr
