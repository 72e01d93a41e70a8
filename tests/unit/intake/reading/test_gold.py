"""The reading against messages read by hand: the shipped samples always, the real ones where they are at hand."""

import csv
import json
from collections import defaultdict
from pathlib import Path

import pytest
import xlsxwriter

from deploy.cli.rows import read_rows
from deploy.cli.triage import triage
from services.intake.domain.reading import read

ROOT = Path(__file__).parents[4]
SAMPLES = ROOT / "deploy" / "samples" / "messages.jsonl"
REAL = ROOT.parent / "shared" / "data" / "citizen-messages.jsonl"


@pytest.fixture(params=["samples", "real"])
def answered(request: pytest.FixtureRequest) -> tuple[dict[str, dict], dict]:
    file = SAMPLES if request.param == "samples" else REAL
    gold_file = file.with_name(file.stem + ".gold.json")
    if not file.exists() or not gold_file.exists():
        pytest.skip(f"{file.name} is not at hand: real messages are not part of the project")
    errors: list[dict] = []
    with file.open("rb") as lines:
        answers = {one["id"]: one for one in triage(lines, errors)}
    assert not errors
    return answers, json.loads(gold_file.read_text(encoding="utf-8"))


def test_every_message_about_pyramid_selling_is_found(answered):
    answers, gold = answered
    assert [one for one in gold["pyramid"] if not answers[one]["relevant"]] == []


def test_at_most_one_in_twenty_others_is_called_relevant(answered):
    answers, gold = answered
    others = answers.keys() - set(gold["pyramid"]) - set(gold["either"])
    wrong = [one for one in others if answers[one]["relevant"]]
    assert len(wrong) <= 0.05 * len(others), wrong


def test_who_is_held_is_found_and_nothing_else_rings(answered):
    answers, gold = answered
    assert {one for one, answer in answers.items() if answer["urgent"]} - set(gold["either"]) == set(gold["urgent"])


def test_leads_join_the_groups_and_no_stranger(answered):
    answers, gold = answered
    leads: dict[str, set[str]] = defaultdict(set)
    for one, answer in answers.items():
        leads[answer["lead"]].add(one)
    joined = {frozenset(group) for group in leads.values() if len(group) > 1}
    assert joined == {frozenset(group) for group in gold["same_target"]}


def test_what_came_back_is_shown_as_seen_before(answered):
    answers, gold = answered
    for earlier, later in gold["recurrence"]:
        assert earlier in answers[later]["seen_before"]
        assert answers[later]["lead"] != answers[earlier]["lead"]


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_the_samples_read_the_same_from_a_table(tmp_path: Path, ending: str):
    messages = [json.loads(line) for line in SAMPLES.read_text(encoding="utf-8").splitlines()]
    columns = ["id", "posted_at", "subject", "text", "area"]
    table = [columns, *([one.get(column, "") for column in columns] for one in messages)]
    file = tmp_path / f"messages{ending}"
    if ending == ".csv":
        with file.open("w", encoding="utf-8-sig", newline="") as out:
            csv.writer(out).writerows(table)
    else:
        with xlsxwriter.Workbook(str(file), {"strings_to_numbers": False}) as book:
            sheet = book.add_worksheet()
            for number, row in enumerate(table):
                sheet.write_row(number, 0, row)
    rows = list(read_rows(file))
    assert [row.ref for row in rows] == [one["id"] for one in messages]
    for row, message in zip(rows, messages, strict=True):
        assert read(row.tip["subject"], row.tip["text"]) == read(message["subject"], message["text"])


def test_nothing_of_the_real_messages_is_in_the_project():
    if not REAL.exists():
        pytest.skip(f"{REAL.name} is not at hand: real messages are not part of the project")
    length = 12
    real: set[str] = set()
    for line in REAL.read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        words = f"{item['subject']}\n{item['text']}"
        real.update(words[at : at + length] for at in range(len(words) - length + 1))
    folders = ("services/intake/domain", "deploy/samples", "tests/unit/intake/reading")
    for file in (one for folder in folders for one in (ROOT / folder).rglob("*")):
        if file.is_file() and file.suffix in (".py", ".toml", ".txt", ".jsonl", ".json"):
            ours = file.read_text(encoding="utf-8")
            shared = {ours[at : at + length] for at in range(len(ours) - length + 1)} & real
            assert not {run for run in shared if any("\u4e00" <= char <= "\u9fff" for char in run)}, file
