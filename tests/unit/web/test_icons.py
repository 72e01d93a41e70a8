"""Icons that templates name are in the sprite, and the vendored files are those on record."""

import hashlib
import json
import re
from pathlib import Path

from shared.web.navigation import ENTRIES, GROUPS
from shared.web.vendor import FOLDER, sprite, versions

ROOT = Path(__file__).parents[3]
_NAMED = re.compile(
    r"""icon\((?P<icons>[^)]*)\)|picture="(?P<picture>[a-z0-9-]+)"|note\("\w+", "(?P<note>[a-z0-9-]+)"\)"""
)
_NAME = re.compile(r'"([a-z0-9-]+)"')


def named() -> set[str]:
    found = {entry.icon for entry in (*ENTRIES, *GROUPS)}
    for file in [*ROOT.glob("services/*/templates/**/*.html"), *ROOT.glob("shared/web/templates/**/*.html")]:
        for match in _NAMED.finditer(file.read_text(encoding="utf-8").replace("'", '"')):
            found |= {match["picture"] or match["note"]} if not match["icons"] else set(_NAME.findall(match["icons"]))
    return {name for name in found if name}


def test_every_icon_a_template_names_is_drawn() -> None:
    drawn = set(re.findall('symbol id="([^"]+)"', (FOLDER / "icons.svg").read_text(encoding="utf-8")))
    # words inside a condition (a tone, an outcome) stand beside names of icons
    assert named() - drawn <= {"late", "good", "matched", "skipped"}
    assert {"inbox", "alert-circle", "clock-exclamation"} <= named()


def test_the_vendored_files_are_those_on_record() -> None:
    packages = json.loads((FOLDER / "vendor.json").read_text(encoding="utf-8"))["packages"]
    record = (FOLDER / "VERSIONS.md").read_text(encoding="utf-8")
    assert record == versions(packages)
    on_record = set(re.findall(r"`([0-9a-f]{64})` \|$", record, re.MULTILINE))
    files = [file for file in FOLDER.iterdir() if file.suffix in (".css", ".js", ".svg")]
    assert {hashlib.sha256(file.read_bytes()).hexdigest() for file in files} == on_record


def test_vendored_files_ask_for_nothing_elsewhere() -> None:
    css = (FOLDER / "tabler.min.css").read_text(encoding="utf-8")
    assert "@import" not in css and "sourceMappingURL" not in css
    assert all(url.strip("\"'").startswith("data:") for url in re.findall(r"url\(([^)]{0,200})", css))


def test_a_sprite_holds_one_symbol_for_each_drawing() -> None:
    made = sprite(
        [("dot", '<svg width="24">\n <path stroke="none" d="M0 0h24v24H0z" fill="none" />\n <path d="M1 1" />\n</svg>')]
    )
    assert made.count("<symbol") == 1 and '<symbol id="dot" viewBox="0 0 24 24"><path d="M1 1" /></symbol>' in made
