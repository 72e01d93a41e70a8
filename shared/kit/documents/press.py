"""Filling and setting documents in a process of its own: its memory goes with it, and it cannot run on for ever.

`python -m shared.kit.documents.press` reads one job as JSON from its input and writes the file to its
output; a refusal is one line of JSON on its error output and exit code 3.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

_ROOT = Path(__file__).resolve().parents[3]
_REFUSED = 3
_SECONDS = 40
_CPU_SECONDS = 30
_AT_ONCE = asyncio.Semaphore(2)


class PressError(RuntimeError):
    """A document could not be made; `code`: `fonts-missing`, `bad-template`, `too-slow` or `failed`."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail = code, detail


@dataclass(frozen=True, slots=True)
class Job:
    """A template to fill and the form wanted; `layout` and the rest matter for PDF.

    ``charts``: pictures that the template prints by name, drawn from their figures (see `charts`).
    """

    template: bytes
    context: Mapping[str, Any]
    form: Literal["docx", "pdf"]
    layout: bytes
    title: str
    issuer: str
    draft: bool
    made: datetime
    fonts: tuple[str, ...] = ()
    charts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def sent(self) -> dict[str, Any]:
        """It as the press's process reads it."""
        return {
            "template": base64.b64encode(self.template).decode(),
            "layout": base64.b64encode(self.layout).decode(),
            "context": dict(self.context),
            "form": self.form,
            "title": self.title,
            "issuer": self.issuer,
            "draft": self.draft,
            "made": self.made.isoformat(),
            "fonts": list(self.fonts),
            "charts": {name: dict(chart) for name, chart in self.charts.items()},
        }


async def press(job: Job) -> bytes:
    """The file. Raises `PressError`."""
    sent = json.dumps(job.sent(), ensure_ascii=False).encode()
    # none of the service's environment: what is made from a template has no business with its secrets
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "SYSTEMROOT") if name in os.environ}
    async with _AT_ONCE:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", __name__,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            cwd=_ROOT, env=kept | {"PYTHONPATH": str(_ROOT)},
        )  # fmt: skip
        try:
            async with asyncio.timeout(_SECONDS):
                made, said = await process.communicate(sent)
        except TimeoutError:
            raise PressError("too-slow", f"{_SECONDS} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if process.returncode == 0:
        return made
    if process.returncode == _REFUSED:
        refusal = json.loads(said.decode().splitlines()[-1])
        raise PressError(refusal["code"], refusal["detail"])
    raise PressError("failed", said.decode(errors="replace")[-2000:])


def _main() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    job = json.loads(sys.stdin.buffer.read())
    try:
        sys.stdout.buffer.write(make(job))
    except _refusals() as error:
        code = "fonts-missing" if type(error).__name__ == "FontsMissing" else "bad-template"
        sys.stderr.write(json.dumps({"code": code, "detail": str(error)[:300]}) + "\n")
        sys.exit(_REFUSED)


def _refusals() -> tuple[type[BaseException], ...]:
    from jinja2 import TemplateError
    from lxml.etree import XMLSyntaxError

    from shared.kit.documents.typesetting import FontsMissing

    return (FontsMissing, TemplateError, XMLSyntaxError)


def _drawn(charts: Mapping[str, Any], fonts: list[str]) -> dict[str, bytes]:
    if not charts:
        return {}
    from shared.kit.documents.charts import draw

    return {name: draw(chart, fonts) for name, chart in charts.items()}


def make(job: Mapping[str, Any]) -> bytes:
    """The file of a job as it comes over the process's input."""
    from shared.kit.documents import filling

    drawn = _drawn(job["charts"], job["fonts"])
    filled = filling.fill(base64.b64decode(job["template"]), job["context"], drawn)
    if job["form"] == "docx":
        return filled
    from shared.kit.documents import blocks, typesetting

    return typesetting.typeset(
        base64.b64decode(job["layout"]), blocks.blocks_of(filled), title=job["title"], issuer=job["issuer"],
        draft=job["draft"], made=datetime.fromisoformat(job["made"]), fonts=job["fonts"],
    )  # fmt: skip


if __name__ == "__main__":
    _main()
