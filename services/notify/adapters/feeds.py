"""Feeds of the public warnings: Atom (RFC 4287), RSS 2.0 and JSON Feed 1.1, all from the same entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from xml.etree import ElementTree as ET

import orjson

ATOM = "http://www.w3.org/2005/Atom"
VERSION = "https://jsonfeed.org/version/1.1"


@dataclass(frozen=True, slots=True)
class Edition:
    """One version of an entry: when it came and, if so, when it was recalled."""

    number: int
    published: datetime
    recalled: datetime | None


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A warning in a feed. `updated` moves with each version and with a recall; the id never changes."""

    id: str
    title: str
    text: str
    link: str
    author: str
    category: str
    published: datetime
    updated: datetime
    recalled: bool
    editions: tuple[Edition, ...]


@dataclass(frozen=True, slots=True)
class FeedHead:
    """The feed itself: its own address, and the page it belongs to."""

    title: str
    self_link: str
    page: str
    updated: datetime


def _clean(text: str) -> str:
    """Without characters that XML 1.0 cannot hold."""
    return "".join(char for char in text if char in "\t\n\r" or (ord(char) >= 32 and char not in "\ufffe\uffff"))


def atom(head: FeedHead, entries: Sequence[FeedEntry]) -> bytes:
    """As Atom."""
    ET.register_namespace("", ATOM)
    root = ET.Element(f"{{{ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": "zh-CN"})
    _add(root, "title", head.title)
    _add(root, "id", head.self_link)
    _add(root, "updated", head.updated.isoformat())
    _add(root, "link", rel="self", type="application/atom+xml", href=head.self_link)
    _add(root, "link", rel="alternate", type="text/html", href=head.page)
    for entry in entries:
        one = ET.SubElement(root, f"{{{ATOM}}}entry")
        _add(one, "title", entry.title)
        _add(one, "id", f"urn:uuid:{entry.id}")
        _add(one, "link", rel="alternate", type="text/html", href=entry.link)
        _add(one, "published", entry.published.isoformat())
        _add(one, "updated", entry.updated.isoformat())
        author = ET.SubElement(one, f"{{{ATOM}}}author")
        _add(author, "name", entry.author)
        _add(one, "category", term=entry.category)
        _add(one, "content", entry.text, type="text")
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="utf-8")


def _add(parent: ET.Element, tag: str, words: str | None = None, **attributes: str) -> None:
    child = ET.SubElement(parent, f"{{{ATOM}}}{tag}", attributes)
    if words is not None:
        child.text = _clean(words)


def rss(head: FeedHead, entries: Sequence[FeedEntry]) -> bytes:
    """As RSS 2.0."""
    root = ET.Element("rss", {"version": "2.0"})
    channel = ET.SubElement(root, "channel")
    told = (
        ("title", head.title), ("link", head.page), ("description", head.title), ("language", "zh-CN"),
        ("lastBuildDate", format_datetime(head.updated)),
    )  # fmt: skip
    for tag, words in told:
        ET.SubElement(channel, tag).text = _clean(words)
    for entry in entries:
        item = ET.SubElement(channel, "item")
        for tag, words in (
            ("title", entry.title), ("link", entry.link), ("description", entry.text), ("category", entry.category),
            ("pubDate", format_datetime(entry.updated)),
        ):  # fmt: skip
            ET.SubElement(item, tag).text = _clean(words)
        # one id a version: readers of RSS look at nothing else to see that something changed
        guid = ET.SubElement(item, "guid", {"isPermaLink": "false"})
        guid.text = f"urn:uuid:{entry.id}:{entry.editions[0].number}{':recalled' if entry.recalled else ''}"
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="utf-8")


def json_feed(head: FeedHead, entries: Sequence[FeedEntry]) -> bytes:
    """As JSON Feed, with the history of each entry."""

    def item(entry: FeedEntry) -> dict[str, Any]:
        return {
            "id": entry.id,
            "url": entry.link,
            "title": entry.title,
            "content_text": entry.text,
            "date_published": entry.published.isoformat(),
            "date_modified": entry.updated.isoformat(),
            "authors": [{"name": entry.author}],
            "tags": [entry.category],
            "language": "zh-CN",
            "_dachuan": {
                "recalled": entry.recalled,
                "versions": [
                    {
                        "number": one.number,
                        "published": one.published.isoformat(),
                        "recalled": one.recalled.isoformat() if one.recalled else None,
                    }
                    for one in entry.editions
                ],
            },
        }

    return orjson.dumps(
        {
            "version": VERSION,
            "title": head.title,
            "home_page_url": head.page,
            "feed_url": head.self_link,
            "language": "zh-CN",
            "items": [item(entry) for entry in entries],
        }
    )
