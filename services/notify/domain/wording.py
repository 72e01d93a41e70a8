"""What a message outside says: number, urgency and link, nothing else. Contents are read after sign-in. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from shared.rules.plan.delivery import Words

USUAL = Words()


@dataclass(frozen=True, slots=True)
class Said:
    """A message in words; `number`, `urgency` and `link` apart for gateways that fill a template of their own."""

    subject: str
    text: str
    number: str
    urgency: str
    link: str


def said(words: Words, number: str, urgent: bool, link: str) -> Said:
    """The words of a message. A plan's words that cannot be filled are replaced by the usual ones: no notice is lost."""
    for own in (words, USUAL):
        urgency = own.urgent if urgent else own.normal
        parts = {"number": number or own.unnumbered, "urgency": urgency, "link": link}
        try:
            subject, text = own.subject.format_map(parts), own.text.format_map(parts)
        except (LookupError, ValueError, AttributeError, TypeError):
            continue
        if link in text:
            return Said(" ".join(subject.split()), text, parts["number"], urgency, link)
    raise AssertionError("the usual words can always be filled")
