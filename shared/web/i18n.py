"""Words in two languages: msgids are English, `locales/zh_CN` holds the Chinese; catalogues are compiled at first use."""

from functools import cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path

from fastapi import Request

LOCALES = {"zh_CN": "中文", "en": "English"}
"""The languages of the pages, each named in itself."""

LANGUAGE_COOKIE = "dachuan_lang"
DOMAIN = "messages"
FOLDER = Path(__file__).parent / "locales"


def N_(text: str) -> str:
    """Mark a text for translation where it stands; it is translated where it is shown."""
    return text


def NN_(one: str, many: str) -> tuple[str, str]:
    """Mark a text that follows a number."""
    return one, many


@cache
def translations(locale: str) -> NullTranslations:
    """The catalogue of a language, compiled from its .po; English needs none."""
    source = FOLDER / locale / "LC_MESSAGES" / f"{DOMAIN}.po"
    if locale == "en" or not source.is_file():
        return NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po
    from babel.support import Translations

    compiled = BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale=locale))
    compiled.seek(0)
    return Translations(compiled, domain=DOMAIN)


def known(locale: str | None) -> str | None:
    """The language meant by `zh`, `zh-CN`, `zh_CN`, `en`, …; None for one we do not speak."""
    if not locale:
        return None
    wanted = locale.replace("-", "_").partition("_")[0].lower()
    return next((name for name in LOCALES if name.partition("_")[0].lower() == wanted), None)


def chosen(request: Request, default: str) -> str:
    """The language of a page: asked for in the address (`?lang=en`), else by the cookie, else the installation's."""
    return (
        known(request.query_params.get("lang")) or known(request.cookies.get(LANGUAGE_COOKIE)) or known(default) or "en"
    )
