"""What is taken, what is refused, and that no copy carries a trail; by the real cleaning process."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import pytest
from PIL import Image

from services.intake.domain.evidence import TRANSITIONS, FileState, may_become
from shared.kit.files.cleaning import Cleaner, Limits, Verdict
from shared.kit.files.kinds import REFUSALS, TAKEN, UNCLEANED
from shared.kit.files.sniffing import HEAD, identify
from tests.unit.intake.evidence.samples import HONEST, HOSTILE, MARK, OFFICE, docx, movie, pdf, photo, zipped


async def cleaned(
    data: bytes, *, limits: Limits | None = None, media_type: str | None = None
) -> tuple[Verdict | None, bytes]:
    """As the service does it: told by the head what it is, then judged in the process apart."""
    if media_type is None:
        media_type, reason = identify(data[:HEAD], whole=len(data) <= HEAD)
        if media_type is None:
            return Verdict("refused", reason), b""
    copy = bytearray()

    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(data), 100_000):
            yield data[at : at + 100_000]

    async def keep(made: AsyncIterator[bytes]) -> int:
        async for piece in made:
            copy.extend(piece)
        return len(copy)

    return await Cleaner(limits or Limits(), 1).clean(media_type, chunks(), keep, 30), bytes(copy)


def trails(data: bytes, mark: str = MARK) -> list[str]:
    """The shapes in which a trail stands in bytes, unfolded where the file is a zip."""
    shapes = {"plain": mark.encode(), "utf-16": mark.encode("utf-16-le"), "hex": mark.encode().hex().encode()}
    return [name for name, shape in shapes.items() if shape in data]


@pytest.mark.parametrize("media_type", HONEST)
async def test_a_file_with_a_trail_becomes_a_copy_without(media_type: str) -> None:
    data = HONEST[media_type]()
    if media_type not in ("text/plain",) and not media_type.startswith(OFFICE):
        assert trails(data), "the sample carries no trail: this test would prove nothing"
    verdict, copy = await cleaned(data)
    assert verdict is not None and verdict.outcome == "cleaned", verdict
    assert verdict.media_type == media_type and verdict.copy_size == len(copy) > 0
    assert verdict.copy_type in TAKEN
    assert not trails(copy)
    if media_type.startswith(OFFICE):
        import zipfile

        with zipfile.ZipFile(io.BytesIO(copy)) as made:
            unfolded = b"".join(made.read(name) for name in made.namelist())
            assert "docProps/thumbnail.jpeg" not in made.namelist()
        assert not trails(unfolded) and "窝点在三楼".encode() in unfolded
    if media_type == "text/plain":
        assert copy.decode() == "三楼每天有人上课"


async def test_a_photo_stands_upright_and_keeps_its_picture() -> None:
    _, copy = await cleaned(photo(size=(64, 48)))
    with Image.open(io.BytesIO(copy)) as made:
        assert made.size == (48, 64) and not made.getexif() and not made.info.get("comment")
        assert made.convert("L").getextrema()[1] > 100


async def test_a_photo_of_many_pixels_is_read_smaller_and_no_photo_at_all_is_refused() -> None:
    out = io.BytesIO()
    Image.new("RGB", (8000, 6000), "red").save(out, "JPEG")
    verdict, copy = await cleaned(out.getvalue())
    assert verdict is not None and verdict.outcome == "cleaned"
    with Image.open(io.BytesIO(copy)) as made:
        assert made.size == (4000, 3000)


async def test_a_recording_keeps_its_sound_where_it_was() -> None:
    before = movie()
    _, copy = await cleaned(before)
    assert len(copy) == len(before) and copy.index(b"sound and picture") == before.index(b"sound and picture")
    assert b"\xa9xyz" not in copy and (3_800_000_000).to_bytes(4, "big") not in copy


async def test_a_phone_photo_with_a_film_behind_it_is_taken_without_the_film() -> None:
    """Motion photos of common telephones: refusing them would bounce honest people."""
    verdict, copy = await cleaned(photo() + movie())
    assert verdict is not None and verdict.outcome == "cleaned"
    assert b"ftyp" not in copy and not trails(copy)


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_files_are_refused_with_their_reason(name: str) -> None:
    """Issue 4, bad input: zip bombs, polyglots, SVG with scripts, programs."""
    reason, make = HOSTILE[name]
    verdict, copy = await cleaned(make())
    assert verdict is not None and (verdict.outcome, verdict.reason) == ("refused", reason)
    assert copy == b"" and verdict.reason in REFUSALS


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\0\0\0\x18ftypheic" + bytes(200), "no-cleaner"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "no-cleaner"),
        (docx(**{"word/embeddings/sheet.xlsx": zipped({"a": b"b"})}), "embedded"),
    ],
)
async def test_what_cannot_be_cleaned_is_kept_without_a_copy(data: bytes, reason: str) -> None:
    verdict, copy = await cleaned(data)
    assert verdict is not None and (verdict.outcome, verdict.reason) == ("kept", reason) and copy == b""
    assert reason in UNCLEANED


async def test_a_locked_pdf_is_kept_without_a_copy() -> None:
    import pikepdf

    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf())) as made:
        made.save(out, encryption=pikepdf.Encryption(owner="a", user="b"))
    verdict, _ = await cleaned(out.getvalue())
    assert verdict is not None and (verdict.outcome, verdict.reason) == ("kept", "encrypted")


async def test_a_cleaning_that_takes_too_long_or_too_much_ends_without_harm() -> None:
    out = io.BytesIO()
    Image.effect_noise((2500, 2500), 90).save(out, "PNG")
    slow, copy = await cleaned(out.getvalue(), limits=Limits(wall_s=0.05))
    assert slow is not None and slow.outcome == "broke" and copy == b""
    Image.new("RGB", (4000, 4000), "red").save(flat := io.BytesIO(), "PNG")
    small, _ = await cleaned(flat.getvalue(), limits=Limits(memory_mb=60))
    assert small is not None and small.outcome in ("broke", "refused")


def test_every_state_goes_only_where_the_table_says() -> None:
    allowed = {(a, b) for a, all_b in TRANSITIONS.items() for b in all_b}
    assert allowed == {
        (FileState.RECEIVED, FileState.CLEANED),
        (FileState.RECEIVED, FileState.REFUSED),
        (FileState.RECEIVED, FileState.QUARANTINED),
        (FileState.CLEANED, FileState.QUARANTINED),
    }
    for a in FileState:
        for b in FileState:
            assert may_become(a, b) == ((a, b) in allowed)
