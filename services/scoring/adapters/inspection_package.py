"""The inspection package (迎检材料) of a certification: one ZIP that a stranger can read and check.

`manifest.txt` is what `sha256sum -c` reads and covers every other file. The lists are CSV with a byte-order mark, as
Excel wants them; the report is the same as Word and as PDF.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol

import orjson

from services.scoring.domain.rulebooks import Standard
from services.scoring.schemas.certificates import CertificationFull, DrawOut, EvidenceOut
from shared.kit.clock import CHINA
from shared.kit.documents.press import Job, PressError, press
from shared.kit.logs import log
from shared.rules.plan import Plan

_ROOT = Path(__file__).resolve().parents[3]
_LAYOUT = _ROOT / "deploy" / "documents" / "layout.typ"
_VERIFY = _ROOT / "examples" / "certificate_sample" / "verify.py"

VERDICTS = {"met": "达到", "unmet": "未达到", "shown": "有材料证明", "silent": "尚无材料"}
RESULTS = {"good": "合格", "bad": "不合格", "unreachable": "未能检查", None: "未检查"}


class Contents(Protocol):
    """What a package is made of."""

    @property
    def full(self) -> CertificationFull: ...
    @property
    def plan(self) -> Plan: ...
    @property
    def standard(self) -> Standard: ...
    @property
    def evidence(self) -> dict[str, list[EvidenceOut]]: ...
    @property
    def draws(self) -> list[DrawOut]: ...
    @property
    def made_at(self) -> Any: ...


async def build_package(contents: Contents) -> bytes:
    """The ZIP. Where no PDF can be made (no Chinese font), its place says why."""
    papers = _papers(contents)
    context = _context(contents)
    template = await asyncio.to_thread(_template)
    for form in ("docx", "pdf"):
        try:
            papers[f"report.{form}"] = await press(_job(contents, context, template, form))  # type: ignore[arg-type]
        except PressError as error:
            log.warning("inspection.press", form=form, reason=error.code)
            papers[f"report.{form}.txt"] = f"没有生成：{error.code}。 Not made: {error.code}.\n".encode()
    lines = sorted((name, hashlib.sha256(data).hexdigest()) for name, data in papers.items())
    papers["manifest.txt"] = "".join(f"{digest}  {name}\n" for name, digest in lines).encode()
    return _zipped(papers, contents.made_at.astimezone(CHINA).timetuple()[:6])


def _zipped(papers: Mapping[str, bytes], date: tuple[int, ...]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(papers.items()):
            info = zipfile.ZipInfo(name, date)  # type: ignore[arg-type]
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, data)
    return sink.getvalue()


def _papers(contents: Contents) -> dict[str, bytes]:
    full = contents.full
    papers = {
        "README.txt": _readme(contents),
        "certification.json": _json(full.model_dump(mode="json")),
        "checklist.csv": _csv(
            ("项目 item", "名称", "条款 clause", "结论 verdict", "数值 value", "至少 at_least", "至多 at_most", "月数 months",
             "分值 points", "一票否决 veto"),
            (
                (one.id, one.title["zh"], one.clause, one.verdict, one.value, one.at_least, one.at_most, one.months,
                 one.points, "是" if one.veto else "")
                for one in full.items
            ),
        ),
        "programme.csv": _csv(
            ("步骤 step", "名称", "单位 agency", "期限 due", "完成 done", "逾期 late"),
            (
                (one["step"], (one["title"] or {}).get("zh"), one["agency"], one["due_on"], one["done_at"], one["late"])
                for one in full.programme
            ),
        ),
        "samples.csv": _csv(
            ("轮次 round", "类别 part", "编号 code", "结果 result", "检查时间 inspected_at"),
            ((one["round"], one["part"], one["code"], one["result"], one["inspected_at"]) for one in full.samples),
        ),
        "draws.json": _json({"items": [one.model_dump(mode="json") for one in contents.draws]}),
    }  # fmt: skip
    for item, events in contents.evidence.items():
        papers[f"events/{item}.csv"] = _csv(
            ("事件 event", "类型 type", "来源 source", "内容 what", "对象 object", "地区 area", "单位 agency", "发生 at",
             "记录 recorded_at", "出处 dataref"),
            (
                (one.event_id, one.type, one.source, one.what, one.object_id, one.area, one.agency, one.at.isoformat(),
                 one.recorded_at.isoformat(), one.dataref)
                for one in events
            ),
        )  # fmt: skip
    if _VERIFY.is_file():
        papers["verify.py"] = _VERIFY.read_bytes()
    return papers


def _json(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def _csv(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerow(head)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return b"\xef\xbb\xbf" + sink.getvalue().encode()


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    # a spreadsheet must not take what somebody wrote for a formula
    return f"'{text}" if text[:1] in "=+-@\t\r" and not text.lstrip("+-").replace(".", "").isdigit() else text


def _readme(contents: Contents) -> bytes:
    full = contents.full
    made = contents.made_at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M %z")
    return f"""迎检材料 · {full.title["zh"]} · {contents.plan.area(full.area).name.zh}
制作时间 {made}，细则 {full.rulebook}

  report.docx、report.pdf   报告（两种格式，内容相同）
  checklist.csv             对照标准的各项、数值和结论
  events/                   每一项背后的事件编号、时间、出处；出处按各人权限打开
  programme.csv             创建步骤
  samples.csv、draws.json   抽样和检查结果；python3 verify.py draws.json 可重新计算抽样
  certification.json        全部内容（机读）
  manifest.txt              以上各文件的 SHA-256：sha256sum -c manifest.txt

--------------------------------------------------------------------------------------------------------------------

Inspection package · {full.title["en"]} · {contents.plan.area(full.area).name.en}
Made {made}, rulebook {full.rulebook}

  report.docx, report.pdf   the report, the same in both forms
  checklist.csv             the items of the standard with figures and verdicts
  events/                   ids, times and sources of the events behind each item; a source opens under one's own rights
  programme.csv             the steps of creation
  samples.csv, draws.json   sample and results; `python3 verify.py draws.json` computes the choice again
  certification.json        everything, for machines
  manifest.txt              SHA-256 of all of these: sha256sum -c manifest.txt
""".encode()


def _context(contents: Contents) -> dict[str, Any]:
    full, plan = contents.full, contents.plan

    def said(value: Any) -> str:
        return "—" if value is None else str(value)

    def agency(code: str) -> str:
        try:
            return plan.agency(code).name.zh
        except KeyError:
            return code

    return {
        "issuer": agency(full.agency),
        "title": f"{plan.area(full.area).name.zh}{full.title['zh']}迎检材料",
        "state": "已认定" if full.in_force else "未认定或未生效",
        "number": full.number or "（尚未认定）",
        "rulebook": full.rulebook,
        "score": f"{full.score:f}" + (f"，合格线 {full.pass_mark:f}" if full.pass_mark is not None else ""),
        "verdict": "达到标准" if full.passes else "未达到标准",
        "made": contents.made_at.astimezone(CHINA).strftime("%Y年%m月%d日"),
        "items": [
            {
                "name": one.title["zh"], "clause": said(one.clause), "value": said(one.value),
                "verdict": VERDICTS[one.verdict] + ("（一票否决项）" if one.veto else ""),
                "events": str(len(contents.evidence.get(one.id, ()))),
            }
            for one in full.items
        ],
        "steps": [
            {
                "name": (one["title"] or {}).get("zh", one["step"]), "agency": agency(one["agency"]),
                "due": said(one["due_on"]), "done": said(one["done_at"] and one["done_at"].astimezone(CHINA).date()),
                "proof": one["proof"] or "—",
            }
            for one in full.programme
        ],
        "proofs": [
            {
                "name": next((item.title["zh"] for item in full.items if item.id == one["indicator"]), one["indicator"]),
                "agency": agency(one["agency"]), "text": one["statement"],
            }
            for one in full.proofs
        ],
        "samples": [
            {"part": one["part"], "code": one["code"], "result": RESULTS[one["result"]]}
            for one in full.samples
            if one["round"] == full.round
        ],
    }  # fmt: skip


@lru_cache(maxsize=1)
def _template() -> bytes:
    from shared.kit.documents.sheet import CLOSING, HEADING, ISSUER, NOTE, TEXT, TITLE, Sheet

    sheet = Sheet("迎检材料")
    sheet.paragraph(ISSUER, "{{ issuer }}")
    sheet.paragraph(TITLE, "{{ title }}")
    sheet.paragraph(TEXT, "状态：{{ state }}；证书编号：{{ number }}。适用细则：{{ rulebook }}。")
    sheet.paragraph(TEXT, "对照标准：{{ verdict }}，得分 {{ score }}。各项由系统按事件计算，事件编号见 events 文件夹。")
    for heading, name, columns in (
        ("一、标准各项", "items", (("项目", "name"), ("条款", "clause"), ("数值", "value"), ("结论", "verdict"), ("事件数", "events"))),
        ("二、创建步骤", "steps", (("步骤", "name"), ("单位", "agency"), ("期限", "due"), ("完成", "done"), ("记录", "proof"))),
        ("三、证明材料", "proofs", (("项目", "name"), ("单位", "agency"), ("材料", "text"))),
        ("四、抽样检查", "samples", (("类别", "part"), ("编号", "code"), ("结果", "result"))),
    ):  # fmt: skip
        sheet.paragraph(HEADING, heading)
        table = sheet.table(len(columns))
        for cell, (title, _) in zip(table.add_row().cells, columns, strict=True):
            sheet.cell(cell, title)
        sheet.cell(table.add_row().cells[0], f"{{%tr for row in {name} %}}")
        for cell, (_, field) in zip(table.add_row().cells, columns, strict=True):
            sheet.cell(cell, f"{{{{ row.{field} }}}}")
        sheet.cell(table.add_row().cells[0], "{%tr endfor %}")
        sheet.paragraph(NOTE, "")
    sheet.paragraph(CLOSING, "{{ issuer }}")
    sheet.paragraph(CLOSING, "{{ made }}")
    return sheet.save()


def _job(contents: Contents, context: dict[str, Any], template: bytes, form: Literal["docx", "pdf"]) -> Job:
    return Job(
        template, context, form, _LAYOUT.read_bytes(), context["title"], context["issuer"], draft=False,
        made=contents.made_at,
    )  # fmt: skip
