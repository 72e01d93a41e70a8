"""Persons of cases (涉案人员): roles, identity documents, what may be done with a person. No I/O."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path

from stdnum.cn import ric
from stdnum.exceptions import InvalidChecksum, InvalidComponent, InvalidFormat, InvalidLength

from shared.rules.calendar import local_day


class Role(StrEnum):
    """A person's part: 组织者（领导）, 骨干, 参加者, 被骗人员, 房东, 提供便利者."""

    ORGANISER = "organiser"
    BACKBONE = "backbone"
    PARTICIPANT = "participant"
    DECEIVED = "deceived"
    LANDLORD = "landlord"
    FACILITATOR = "facilitator"


class IdKind(StrEnum):
    """Identity documents: 居民身份证, 护照, 港澳通行证, 台湾通行证, 其他, 无证件."""

    RESIDENT = "resident"
    PASSPORT = "passport"
    HONGKONG_MACAU = "hongkong_macau"
    TAIWAN = "taiwan"
    OTHER = "other"
    NONE = "none"


class StepKind(StrEnum):
    """What is done with a person: 身份核查, 询问查证, 延长询问, 结束询问, 采样, 处置, 回访教育."""

    IDENTITY_CHECK = "identity_check"
    QUESTIONING = "questioning"
    QUESTIONING_LONGER = "questioning_longer"
    QUESTIONING_ENDED = "questioning_ended"
    SAMPLING = "sampling"
    DISPOSITION = "disposition"
    FOLLOW_UP = "follow_up"


class PersonRefused(ValueError):
    """A field is wrong: its name, a code, and what to do in Chinese and in English."""

    def __init__(self, field: str, code: str, zh: str, en: str) -> None:
        super().__init__(f"{zh} {en}")
        self.field, self.code, self.zh, self.en = field, code, zh, en


@dataclass(frozen=True, slots=True)
class Identity:
    """A document as it is kept: `born` and `county` come from a resident's number; `county_known`: on file here."""

    kind: IdKind
    number: str | None
    born: date | None = None
    county: str | None = None
    county_known: bool = True


_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"0\d{9,11}|\d{7,8}")
_OTHER_NUMBER = re.compile(r"[0-9A-Z]{5,20}")
_SPACES = re.compile(r"[\s·•・.．]+")
_AREA = re.compile(r"[1-9]\d{5}")


def identity(kind: IdKind, given: str | None, day: date) -> Identity:
    """A document's number checked: 18 digits, birth date, check digit (GB 11643, MOD 11-2).

    A county that the list of python-stdnum does not know passes with `county_known` false: new counties exist.
    Raises `PersonRefused`.
    """
    number = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", given or "")).upper() or None
    if kind is IdKind.NONE:
        if number:
            raise PersonRefused(
                "id_number", "number-without-document", "选了“无证件”，不能再填号码。", "No document, so no number."
            )
        return Identity(kind, None)
    if number is None:
        raise PersonRefused(
            "id_number", "number-missing", "请填写证件号码；没有证件请选“无证件”。",
            "Give the number, or say that there is no document.",
        )  # fmt: skip
    if kind is not IdKind.RESIDENT:
        if not _OTHER_NUMBER.fullmatch(number):
            raise PersonRefused(
                "id_number", "bad-number", "证件号码应为 5–20 位字母或数字。", "A number has 5 to 20 letters or digits."
            )
        return Identity(kind, number)
    if len(number) == 15 and number.isdigit():
        raise PersonRefused(
            "id_number", "old-number", "这是 15 位旧号码，请核实后填写 18 位号码。",
            "An old number of 15 digits: give the one of 18.",
        )  # fmt: skip
    known = True
    try:
        ric.validate(number)
    except InvalidChecksum:
        raise PersonRefused(
            "id_number", "bad-checksum", "身份证号码校验位不符，请对照证件核对。",
            "The check digit does not fit: compare with the card.",
        ) from None  # fmt: skip
    except (InvalidLength, InvalidFormat):
        raise PersonRefused(
            "id_number", "bad-number", "身份证号码应为 18 位，末位可为 X。", "A resident's number has 18 places, the last may be X."
        ) from None
    except (KeyError, InvalidComponent):
        # the birth date is wrong, or the county is not on the list: only the first is a mistake
        known = False
    try:
        born = ric.get_birth_date(number)
    except InvalidComponent:
        born = date.max
    if not date(1900, 1, 1) <= born <= day:
        raise PersonRefused(
            "id_number", "bad-birth-date", "身份证号码中的出生日期不成立，请核对。", "The birth date in the number cannot be."
        )
    return Identity(kind, number, born, number[:6], known)


def phone(given: str) -> str:
    """A phone number as it is compared: digits alone, without +86. Raises `PersonRefused`."""
    digits = re.sub(r"[\s()（）-]", "", unicodedata.normalize("NFKC", given))
    digits = digits.removeprefix("+86").removeprefix("0086")
    if not (_MOBILE.fullmatch(digits) or _LANDLINE.fullmatch(digits)):
        raise PersonRefused(
            "phones", "bad-phone", "电话号码不对：手机 11 位，座机带区号。", "A mobile number has 11 digits, others an area code."
        )
    return digits


def home_area(given: str | None, who: Identity | None = None) -> str | None:
    """A six-digit area code (GB/T 2260); without one, that of the resident's number. Raises `PersonRefused`."""
    if not given:
        return who.county if who else None
    if not _AREA.fullmatch(given):
        raise PersonRefused(
            "home_area", "bad-area", "户籍地请填 6 位行政区划代码。", "Give the home area as a code of six digits."
        )
    return given


def plain(text: str) -> str:
    """A name or address as it is compared: full-width forms folded, without spaces and dots."""
    return _SPACES.sub("", unicodedata.normalize("NFKC", text)).casefold()


def grams(text: str) -> tuple[str, ...]:
    """The two-character parts of a name or address."""
    folded = plain(text)
    return tuple(dict.fromkeys(folded[at : at + 2] for at in range(len(folded) - 1)))


def check_day(field: str, at: datetime, now: datetime, law_from: date) -> None:
    """A fact lies neither ahead nor before the law was in force (条例 2005-11-01). Raises `PersonRefused`."""
    if at > now + timedelta(minutes=5):
        raise PersonRefused(field, "in-the-future", "时间在将来，请核对。", "The time lies ahead: check it.")
    if local_day(at) < law_from:
        raise PersonRefused(
            field, "before-the-law", f"时间早于《禁止传销条例》施行之日（{law_from}），请核对。",
            f"The time lies before the regulation was in force ({law_from}): check it.",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Code:
    """One thing that can be recorded of a person: its words, the article it rests on and how sure that is.

    `needs`: which further facts it cannot do without (`follow_up`, `home_area`, `to_agency`, `basis`).
    `by`: the only kind of agency that may do it, where the law gives it to one.
    """

    id: str
    zh: str
    en: str
    article: str
    certainty: str
    needs: tuple[str, ...] = ()
    by: str | None = None


@cache
def codes(kind: StepKind) -> dict[str, Code]:
    """What may be recorded in steps of a kind (`person_steps.toml`); empty where the step says it all."""
    table = tomllib.loads((Path(__file__).parent / "person_steps.toml").read_text(encoding="utf-8"))
    return {
        name: Code(
            name, line["zh"], line["en"], line.get("article", ""), line.get("certainty", ""), tuple(line.get("needs", ())),
            line.get("by"),
        )
        for name, line in table.get(kind.value, {}).items()
    }


QUESTIONING_STEPS = frozenset({StepKind.QUESTIONING, StepKind.QUESTIONING_LONGER, StepKind.QUESTIONING_ENDED})


def done_by(kind: StepKind, code: str | None) -> str | None:
    """The only kind of agency that may take a step: questioning, samples and detention are the police's; None: any."""
    if kind in QUESTIONING_STEPS:
        return "police"
    line = codes(kind).get(code or "")
    return line.by if line else None


def code_of(kind: StepKind, code: str) -> Code:
    """The code's line. Raises `PersonRefused` for one that the kind of step does not have."""
    try:
        return codes(kind)[code]
    except KeyError:
        raise PersonRefused(
            "code", "unknown-code", "没有这一项，可选：" + "、".join(codes(kind)) + "。", "There is no such code."
        ) from None


def check_disposition(
    code: str, day: date, *, follow_up: date | None, area: str | None, to_agency: str | None, officers: int | None
) -> Code:
    """What a disposition needs is there: education its follow-up day (D-M4), sending home where to (D-J), and the force.

    Raises `PersonRefused`.
    """
    line = code_of(StepKind.DISPOSITION, code)
    if officers is None:
        raise PersonRefused("officers", "force-missing", "请填写承办警力（人数）。", "Say how many officers did it.")
    if "follow_up" in line.needs and follow_up is None:
        raise PersonRefused(
            "follow_up", "follow-up-missing", "教育引导须写明回访日期。", "Education needs the day of its follow-up."
        )
    if follow_up is not None and follow_up <= day:
        raise PersonRefused(
            "follow_up", "follow-up-too-early", "回访日期应晚于处置当日。", "The follow-up comes after the disposition."
        )
    if "home_area" in line.needs and not area:
        raise PersonRefused(
            "home_area", "home-area-missing", "遣散遣返须写明送返地（6 位行政区划代码）。", "Say to which area (six digits)."
        )
    if "to_agency" in line.needs and not to_agency:
        raise PersonRefused("to_agency", "agency-missing", "请写明移交给哪个单位。", "Say to which agency.")
    return line
