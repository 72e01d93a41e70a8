"""Numbers of persons and firms, checked by python-stdnum and brought to one form; nothing here is kept."""

import re

import phonenumbers
from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError

from services.intake.domain.reading.folding import fold

_NOT_DIGITS = re.compile(r"[^\d+]")


def id_number(text: str) -> str | None:
    """A resident identity number (GB 11643-1999) with a right checksum and birth date, or None.

    A county that python-stdnum does not know yet is no mistake of the number: its checksum and date decide.
    """
    number = ric.compact(fold(text).upper().replace(" ", ""))
    try:
        return ric.validate(number)
    except KeyError:
        pass
    except ValidationError:
        return None
    try:
        ric.get_birth_date(number)
        return number if len(number) == 18 and ric.calc_check_digit(number[:-1]) == number[-1] else None
    except (ValidationError, ValueError):
        return None


def phone(text: str) -> str | None:
    """A Chinese telephone number in E.164, or None for one that cannot be dialled."""
    try:
        parsed = phonenumbers.parse(_NOT_DIGITS.sub("", fold(text)), "CN")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def licence(text: str) -> str | None:
    """A unified social credit code (GB 32100-2015) with a right checksum, or None."""
    number = uscc.compact(fold(text).upper().replace(" ", ""))
    return number if uscc.is_valid(number) else None
