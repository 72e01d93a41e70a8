"""`./dachuan triage FILE.jsonl` without a running system."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli.triage import app


def run(file: Path):
    result = CliRunner().invoke(app, [str(file)])
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def write(folder: Path, *lines: str | bytes) -> Path:
    file = folder / "messages.jsonl"
    file.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines) + b"\n")
    return file


def test_one_line_for_each_message_in_order(tmp_path: Path):
    file = write(
        tmp_path,
        '\ufeff{"id": 7, "subject": "公交", "text": "末班车太早"}',
        "",
        '{"id": "x", "subject": null, "text": "望月苑3栋602是传销窝点", "posted_at": "2026-09-01 08:00"}',
        '{"id": "y", "text": "望月苑3栋602又在传销", "posted_at": "2026-09-02T08:00:00+08:00", "area": "a"}',
    )
    code, answers, errors = run(file)
    assert code == 0 and errors == ""
    assert [one["id"] for one in answers] == ["7", "x", "y"]
    assert [one["lead"] for one in answers] == ["7", "x", "x"]
    assert {"id", "relevant", "kinds", "urgent", "lead", "places", "reasons", "belongs_to", "seen_before"} <= answers[
        0
    ].keys()
    assert answers[0]["belongs_to"] == "transport" and answers[1]["belongs_to"] is None
    assert answers[1]["places"][0] == {"text": "望月苑3栋602", "estate": "望月苑", "building": "3", "room": "602"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"), ("[]", "object"), ('{"text": "a"}', "id"), ('{"id": true, "text": "a"}', "id"), ('{"id": "1"}', "text"),
        ('{"id": "1", "text": 5}', "text"), ('{"id": "1", "subject": 5, "text": "a"}', "subject"), (b'{"id": "1", "text": "\xff"}', "JSON"),
        ('{"id": "1", "text": "a", "posted_at": "yesterday"}', "posted_at"), ('{"id": "ok", "text": "again"}', "before"),
    ],
)  # fmt: skip
def test_a_bad_line_is_told_and_the_others_are_answered(tmp_path: Path, line: str | bytes, reason: str):
    code, answers, errors = run(write(tmp_path, '{"id": "ok", "text": "传销"}', line, '{"id": "ok2", "text": "传销"}'))
    assert code == 1
    assert [one["id"] for one in answers] == ["ok", "ok2"]
    told = json.loads(errors)
    assert told["line"] == 2 and reason in told["error"]


def test_a_file_that_is_not_there(tmp_path: Path):
    code, answers, errors = run(tmp_path / "none.jsonl")
    assert code == 2 and answers == [] and "none.jsonl" in errors
