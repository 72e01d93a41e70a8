"""Addresses, numbers of persons and firms, signs, files: what goes into a register."""

from __future__ import annotations

import io
import zipfile

import pytest
import xlsxwriter

from services.intake.adapters.sheets import HEADINGS, read_sheet, write_csv, write_xlsx
from services.intake.commands.registers.importing import validated
from services.intake.domain.reading import read
from services.intake.domain.registers import addresses, people
from services.intake.domain.registers.signs import signs, signs_at, told
from services.intake.domain.registers.surveys import progress, total
from services.intake.schemas.registers import ROWS
from shared.kit.problem import Invalid, Problem, UnsupportedType

ID_NUMBER = "11010519491231002X"
"""The example of GB 11643-1999."""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("锦绣花园", "12栋", "301"), ("锦绣 花园", "12幢", "３０１室")),
        (("锦绣花园", "5号楼", "1-201"), ("锦绣花园", "05栋", "1-201房")),
        (("金桥公寓", "A座", "1203"), ("金桥公寓", "a栋", "1203号房")),
    ],
)
def test_one_flat_has_one_key_however_it_is_written(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    assert addresses.address_key("c", *one) == addresses.address_key("c", *other)
    assert addresses.address_key("c", *one) != addresses.address_key("d", *other)


def test_another_room_has_another_key() -> None:
    keys = {addresses.address_key("c", "锦绣花园", b, r) for b in ("1栋", "11栋", "") for r in ("301", "1301", "31")}
    assert len(keys) == 9


def test_identity_numbers_are_checked_by_their_check_digit() -> None:
    assert people.id_number(ID_NUMBER) == ID_NUMBER
    assert people.id_number("１１０１０５１９４９１２３１００２x") == ID_NUMBER
    for wrong in ("110105194912310021", "11010519491331002X", "123", "", "abc"):
        assert people.id_number(wrong) is None
    assert people.id_number("990000194912310026") in (None, "990000194912310026"), "an unknown county is no crash"


def test_phones_are_brought_to_one_form() -> None:
    assert people.phone("138 0013-8000") == people.phone("＋８６13800138000") == "+8613800138000"
    assert people.phone("0760-88880000") == "+8676088880000"
    assert people.phone("12") is None and people.phone("无") is None


@pytest.mark.parametrize("where", ["patrol", "venue"])
def test_every_sign_is_read_as_pyramid_selling(where: str) -> None:
    """D-E2, D-A2: a suspicion becomes a lead; none of the signs may be read as something else."""
    assert len(signs_at(where)) >= 5
    for sign in signs_at(where):
        reading = read("", told(where, "安堂社区锦绣花园12栋301", [sign.id], ""))
        assert reading.relevant or reading.urgent, sign.id
    for urgent in ("locked_in", "phones_taken"):
        assert read("", told("patrol", "安堂社区锦绣花园12栋301", [urgent], "")).urgent
    assert all(sign.zh and sign.en for sign in signs().values())


def test_progress_is_never_whole_before_it_is_done() -> None:
    assert progress(1000, 999, 0, 0, False).percent == 99
    assert progress(1000, 990, 10, 1, False).done
    assert progress(0, 0, 0, 0, False).percent == 0
    both = total([progress(10, 20, 0, 1, False), progress(10, 0, 0, 0, False)])
    assert (both.reached, both.target, both.done) == (10, 20, False), "one part's surplus does not hide another's gap"
    assert not total([]).done


def sheet(*rows: tuple[object, ...]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    page = book.add_worksheet()
    for at, row in enumerate(rows):
        page.write_row(at, 0, row)
    book.close()
    return out.getvalue()


def test_a_real_sheet_is_read_by_its_headings_in_any_order() -> None:
    lines = read_sheet("rentals", sheet(("房号", "社区", "备注", "楼栋"), (301, "安堂社区", "x", "12栋"), (), ("", "", "", "")))
    assert [(line.at, line.cells) for line in lines] == [(2, {"room": 301.0, "area": "安堂社区", "building": "12栋"})]
    wrong, rows = validated("rentals", lines)
    assert wrong == [] and rows[0][1].room == "301"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_comes_in_the_encodings_offices_use(encoding: str) -> None:
    content = "社区,小区,房号\r\n安堂社区,锦绣花园,301\r\n".encode(encoding)
    assert read_sheet("rentals", content)[0].cells == {"area": "安堂社区", "estate": "锦绣花园", "room": "301"}


def test_what_we_write_we_read() -> None:
    fields, row = ("number", "area", "estate", "room", "occupants"), ["Z-1", "安堂社区", "=1+1", "301", 3]
    for write in (write_csv, write_xlsx):
        cells = read_sheet("rentals", write("rentals", fields, [row]))[0].cells
        assert cells["number"] == "Z-1" and int(float(cells["occupants"])) == 3
        assert cells["estate"] in ("'=1+1", "=1+1"), "a text, never a formula"


def test_a_file_that_is_none_is_refused_whole() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("nothing.txt", "x")
    for content in (out.getvalue(), b"PK\x03\x04broken", b"\x00\x01\x02", "社区,房号\n\"".encode()):
        with pytest.raises(UnsupportedType):
            read_sheet("rentals", content)
    with pytest.raises(Invalid):
        read_sheet("rentals", "甲,乙\n1,2\n".encode())
    with pytest.raises(Invalid):
        read_sheet("rentals", b"")


def test_a_zip_bomb_is_not_unpacked() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        with packed.open("xl/worksheets/sheet1.xml", "w") as member:
            for _ in range(401):
                member.write(b"\0" * (1024 * 1024))
    assert len(out.getvalue()) < 2_000_000
    with pytest.raises(Problem) as refused:
        read_sheet("rentals", out.getvalue())
    assert refused.value.status == 413


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("landlord_id_number", "110105194912310021", "bad_id_number"),
        ("landlord_phone", "12", "bad_phone"),
        ("occupants", "三", "not_number"),
        ("occupants", "501", "less_than_equal"),
        ("registration", "也许", "unknown_registration"),
        ("room", "", "string_type"),
        ("estate", "长" * 121, "string_too_long"),
    ],
)
def test_a_wrong_cell_is_told_by_field_and_reason(field: str, value: str, code: str) -> None:
    from services.intake.adapters.sheets import Line

    wrong, rows = validated("rentals", [Line(7, {"area": "安堂社区", "room": "301", field: value})])
    assert rows == [] and wrong[0].row == 7
    error = wrong[0].errors[0]
    assert (error.field, error.code) == (field, code) and error.message


def test_every_field_of_a_register_has_its_column() -> None:
    for register, model in ROWS.items():
        assert set(HEADINGS[register]) == set(model.model_fields)
