"""Where a sign-in may lead."""

from __future__ import annotations

import pytest

from services.notify.domain.redirects import safe_next

BASES = [
    "http://127.0.0.1:8400",
    "http://127.0.0.1:8402",
    "https://town.example/notify",
    "https://town.example/casework/",
]


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("http://127.0.0.1:8402/cases/1?x=1", "http://127.0.0.1:8402/cases/1?x=1"),
        ("http://127.0.0.1:8400/account", "http://127.0.0.1:8400/account"),
        ("http://127.0.0.1:84001/", "/"),
        ("http://127.0.0.1:8402.evil.example/", "/"),
        ("http://127.0.0.1:8402@evil.example/", "/"),
        ("https://127.0.0.1:8402/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("http:evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("http://127.0.0.1:8402\\@evil.example/", "/"),
        ("http://127.0.0.1:8402/\r\nset-cookie: a=b", "/"),
        ("http://[::1", "/"),
        ("https://town.example/casework/cases", "https://town.example/casework/cases"),
        ("https://town.example/casework", "https://town.example/casework"),
        ("https://town.example/other", "/"),
        ("https://town.example/caseworkers", "/"),
        ("https://town.example/casework/../other", "/"),
        ("https://town.example.evil.example/casework/", "/"),
        ("", "/"),
        (None, "/"),
    ],
)
def test_only_our_own_pages(wanted: str | None, leads_to: str) -> None:
    assert safe_next(wanted, BASES, "/") == leads_to
