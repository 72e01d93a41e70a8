"""Fetch the files of other projects that the pages use, check them and put them in place: `python -m shared.web.vendor`.

Only for a developer who changes a version in `static/vendor/vendor.json`: what it fetches is committed, so nobody else
needs npm. Packages come by `npm pack`, from whatever registry npm is set to, and must have the recorded checksum.
"""

import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "static" / "vendor"
_DRAWING = re.compile(r"<svg[^>]*>(?P<inner>.*)</svg>", re.DOTALL)
_SOURCE_MAP = re.compile(rb"\n?(?:/\*|//)# sourceMappingURL=[^\n*]*(?:\*/)?\s*$")


class ChecksumDiffers(SystemExit):
    """A package is not the one on record: nothing was changed."""


def fetch(package: str, version: str, folder: Path) -> bytes:
    """The package's archive as npm gives it."""
    done = subprocess.run(
        ["npm", "pack", "--silent", f"{package}@{version}"], cwd=folder, check=True, capture_output=True, text=True
    )
    return (folder / done.stdout.split()[-1]).read_bytes()


def sprite(drawings: Iterable[tuple[str, str]]) -> str:
    """One SVG with a symbol per icon, to be shown by `<use href="icons.svg#name">`."""
    symbols = []
    for name, drawing in drawings:
        found = _DRAWING.search(drawing)
        if found is None:
            raise ValueError(f"{name} is not a drawing")
        inner = " ".join(found["inner"].split()).replace('<path stroke="none" d="M0 0h24v24H0z" fill="none" />', "")
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{inner.strip()}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def install(package: str, record: dict[str, Any], archive: bytes) -> None:
    """Write the wanted files of one package into the vendor folder."""
    found = hashlib.sha256(archive).hexdigest()
    if found != record["sha256"]:
        raise ChecksumDiffers(f"{package} {record['version']}: sha256 is {found}, on record is {record['sha256']}")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:

        def read(name: str) -> bytes:
            member = tar.extractfile(f"package/{name}")
            assert member is not None, name
            return member.read()

        for source, target in record.get("files", {}).items():
            (FOLDER / target).write_bytes(_SOURCE_MAP.sub(b"\n", read(source)))
        if "sprite" in record:
            drawings = [(name, read(f"icons/outline/{name}.svg").decode()) for name in record["icons"]]
            (FOLDER / record["sprite"]).write_text(sprite(drawings), encoding="utf-8")


def versions(packages: dict[str, Any]) -> str:
    """The record for people."""
    lines = [
        "# Files of other projects",
        "",
        "Written by `python -m shared.web.vendor` from `vendor.json`; the packages come by `npm pack`.",
        "",
        "| package | version | licence | sha256 of the package | file here | sha256 of the file |",
        "|---|---|---|---|---|---|",
    ]
    for package, record in packages.items():
        for target in [*record.get("files", {}).values(), *([record["sprite"]] if "sprite" in record else [])]:
            digest = hashlib.sha256((FOLDER / target).read_bytes()).hexdigest()
            lines.append(
                f"| `{package}` | {record['version']} | {record['license']} | `{record['sha256']}` | `{target}` | `{digest}` |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    packages = json.loads((FOLDER / "vendor.json").read_text())["packages"]
    with tempfile.TemporaryDirectory() as folder:
        for package, record in packages.items():
            install(package, record, fetch(package, record["version"], Path(folder)))
    (FOLDER / "VERSIONS.md").write_text(versions(packages), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
