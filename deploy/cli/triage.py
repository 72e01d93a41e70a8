"""`./dachuan triage FILE.jsonl`: read messages and say what they are about, without a running system.

Each input line is an object with `id`, `subject`, `text` and, if known, `posted_at` (RFC 3339; without a zone it is
China's). Each output line
answers one input line, in the same order. A line that cannot be read is reported on stderr as an object with `line` and
`error`; the others are still answered, and the exit code is then 1.
"""

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, BinaryIO
from zoneinfo import ZoneInfo

import orjson
import typer

from services.intake.domain.reading import Reading, read
from services.intake.domain.same_target import Grouped, Message, group

_LONGEST_LINE = 4_000_000
_CHINA = ZoneInfo("Asia/Shanghai")


class LineError(ValueError):
    """A line is not a message; the text says why."""


def parse_line(line: bytes) -> tuple[str, str, str, datetime | None]:
    """Id, subject, text and time of one line. Raises `LineError`."""
    if len(line) > _LONGEST_LINE:
        raise LineError("line is longer than 4 MB")
    try:
        item = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise LineError(f"not JSON: {error}") from None
    if not isinstance(item, dict):
        raise LineError("not a JSON object")
    identity = item.get("id")
    if not isinstance(identity, str | int) or isinstance(identity, bool) or identity == "":
        raise LineError("id: missing, or not a text or a number")
    subject, text = item.get("subject", ""), item.get("text")
    if subject is None:
        subject = ""
    if not isinstance(subject, str):
        raise LineError("subject: not a text")
    if not isinstance(text, str):
        raise LineError("text: missing, or not a text")
    return str(identity), subject, text, _time(item.get("posted_at"))


def _time(value: object) -> datetime | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise LineError("posted_at: not a text")
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        raise LineError("posted_at: not an RFC 3339 time") from None
    return time if time.tzinfo else time.replace(tzinfo=_CHINA)


def triage(lines: Iterator[bytes] | BinaryIO, errors: list[dict]) -> Iterator[dict]:
    """Answers for `lines`; what cannot be read is added to `errors`."""
    messages: list[Message] = []
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line.strip():
            continue
        try:
            identity, subject, text, posted_at = parse_line(line)
            if identity in seen:
                raise LineError(f"id: {identity} came before")
        except LineError as error:
            errors.append({"line": number, "error": str(error)})
            continue
        seen.add(identity)
        messages.append(Message(identity, read(subject, text), subject, text, posted_at))
    standing = group(one for one in messages if one.reading.relevant or one.reading.urgent)
    for message in messages:
        yield answer(message.id, message.reading, standing.get(message.id) or Grouped(message.id))


def answer(identity: str, reading: Reading, standing: Grouped) -> dict:
    """One output line. `lead` is equal for messages about one target; a message that stands alone is its own lead."""
    return {
        "id": identity,
        "relevant": reading.relevant,
        "kinds": reading.kinds,
        "urgent": reading.urgent,
        "lead": standing.lead,
        "places": [
            {
                key: value
                for key in ("text", "area", "road", "estate", "building", "unit", "floor", "room")
                if (value := getattr(one, key))
            }
            for one in reading.places
        ],
        "reasons": [{"code": one.code, "words": one.words} for one in reading.reasons],
        "belongs_to": reading.belongs_to,
        "people": reading.people,
        "money": reading.money,
        "levels": reading.levels,
        "organisations": reading.organisations,
        "apps": reading.apps,
        "phones": reading.phones,
        "persons": reading.persons,
        "joined_by": standing.joined_by,
        "seen_before": standing.seen_before,
        "suggested": standing.suggested,
    }


def run(
    file: Annotated[Path, typer.Argument(help="逐行 JSON 文件，“-”为标准输入 / JSON lines, - for standard input")],
) -> None:
    """研判：逐条读出是否涉及传销、类型、是否紧急、指向何处 / Read each message: relevance, kinds, urgency, target."""
    errors: list[dict] = []
    try:
        stream = sys.stdin.buffer if str(file) == "-" else file.open("rb")
    except OSError as error:
        typer.echo(f"打不开文件 / cannot open {file}: {error.strerror}", err=True)
        raise typer.Exit(2) from None
    with stream:
        for one in triage(stream, errors):
            sys.stdout.buffer.write(orjson.dumps(one) + b"\n")
    sys.stdout.buffer.flush()
    for one in errors:
        typer.echo(orjson.dumps(one).decode(), err=True)
    if errors:
        raise typer.Exit(1)


app = typer.Typer(add_completion=False, help=run.__doc__)
app.command()(run)

if __name__ == "__main__":
    app()
