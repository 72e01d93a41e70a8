"""Bring the Chinese catalogue up to the words in use: `python -m shared.web.catalogue`; new ones are left empty to fill.

Existing wordings are kept; those no longer used are dropped. A test fails while a wording is missing or fuzzy.
"""

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

from shared.web.i18n import DOMAIN, FOLDER

_ROOT = Path(__file__).resolve().parents[2]
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "plural": (1, 2), "N_": None, "NN_": (1, 2)}


def extracted() -> Catalog:
    """Every text marked for translation in code and templates."""
    catalog = Catalog(project="Dachuan", charset="utf-8")
    with (_ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(str(_ROOT), methods, options, keywords=_KEYWORDS)
    for filename, _line, message, _comments, context in sorted(found, key=lambda f: (f[0], f[1])):
        # without line numbers, so that a moved line is no change
        catalog.add(message, locations=[(filename, None)], context=context)  # type: ignore[list-item]
    return catalog


def path(locale: str) -> Path:
    return FOLDER / locale / "LC_MESSAGES" / f"{DOMAIN}.po"


def current(locale: str) -> Catalog:
    """The catalogue on file."""
    with path(locale).open("rb") as file:
        return read_po(file, locale=locale)


def updated(locale: str) -> Catalog:
    """The catalogue on file with the words in use: nothing guessed, nothing obsolete."""
    catalog = current(locale) if path(locale).exists() else Catalog(locale=locale, project="Dachuan")
    catalog.update(extracted(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    return catalog


def written(catalog: Catalog) -> bytes:
    """The catalogue as a .po file."""
    out = BytesIO()
    out.write(b"# The pages in Chinese. Kept up by: python -m shared.web.catalogue\n\n")
    write_po(out, catalog, sort_output=True, omit_header=True, include_lineno=False, width=110, ignore_obsolete=True)
    return out.getvalue()


def missing(catalog: Catalog) -> list[str]:
    """The msgids without a wording, or with one that is only a guess."""
    return [str(m.id) for m in catalog if m.id and (m.fuzzy or not (all(m.string) if m.pluralizable else m.string))]


def main() -> int:
    catalog = updated("zh_CN")
    path("zh_CN").write_bytes(written(catalog))
    for msgid in (gaps := missing(catalog)):
        sys.stdout.write(f"no Chinese yet: {msgid}\n")
    return 1 if gaps else 0


if __name__ == "__main__":
    sys.exit(main())
