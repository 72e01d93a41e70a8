"""What codes of a reading are called to people, Chinese and English."""

from functools import cache

from services.intake.domain.reading.folding import load


@cache
def _names() -> dict[str, dict[str, list[str]]]:
    data = load("labels")
    return {"reasons": data["signs"] | data["alarms"], "kinds": data["kinds"], "topics": data["topics"]}


def reason_name(code: str, *, english: bool = False) -> str:
    """The name of a `Reason.code`; a code of an older lexicon is shown as it is."""
    return _name("reasons", code, english)


def kind_name(code: str, *, english: bool = False) -> str:
    """The name of a kind of pyramid selling."""
    return _name("kinds", code, english)


def topic_name(code: str, *, english: bool = False) -> str:
    """The name of where a message belongs."""
    return _name("topics", code, english)


def _name(what: str, code: str, english: bool) -> str:
    names = _names()[what].get(code)
    return names[english] if names else code
