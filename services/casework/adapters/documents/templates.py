"""Word templates that officials edit: checked before they are taken (`shared.kit.documents` fills them).

A template can print the kind's fields, repeat a row for a list and leave a part out; it can do nothing else. What it
says is parsed and every part of it compared with that list, so it cannot call, reach into or compute anything; it is
filled in jinja's sandbox all the same.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from docx.opc.exceptions import PackageNotFoundError
from docxtpl import DocxTemplate
from jinja2 import TemplateSyntaxError, nodes
from lxml.etree import XMLSyntaxError

from services.casework.domain.documents.kinds import RESERVED, DocumentField, Kind
from shared.kit.documents.filling import environment, fill

__all__ = ["LARGEST", "BadTemplate", "TemplateFault", "check", "context_of", "fill"]

LARGEST = 2 * 1024 * 1024
LARGEST_UNPACKED = 20 * 1024 * 1024
_MUST = ("number", "issuer", "issued_on")
_LOOP = frozenset({"index", "first", "last", "length"})
_FORBIDDEN_PARTS = ("vba", "activex", "oleobject", "embeddings/", "afchunk", "customui", "attachedtoolbars")
_PLAIN = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Const, nodes.And, nodes.Or, nodes.Not, nodes.Compare,
    nodes.Operand, nodes.If, nodes.CondExpr,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TemplateFault:
    """What is wrong with a template: where (`第 7 段` or a part's name), the placeholder, a code, and words.

    A `warning` does not stop the template from being used.
    """

    where: str
    placeholder: str
    code: str
    zh: str
    en: str
    warning: bool = False


class BadTemplate(ValueError):
    """A template that cannot be used."""

    def __init__(self, faults: list[TemplateFault]) -> None:
        super().__init__("; ".join(f"{one.where} {one.placeholder} {one.en}" for one in faults))
        self.faults = faults


def check(content: bytes, kind: Kind) -> list[TemplateFault]:
    """Everything wrong or doubtful about a template of a kind; without errors it may be used."""
    faults = _package_faults(content)
    if faults:
        return faults
    template = DocxTemplate(io.BytesIO(content))
    try:
        template.render_init()
    except (KeyError, ValueError, XMLSyntaxError, PackageNotFoundError) as error:
        return [_unreadable(error)]
    used: set[tuple[str, str]] = set()
    env = environment()
    for where, text in _parts(template):
        try:
            tree = env.parse(text)
        except TemplateSyntaxError as error:
            faults.append(_syntax(template, where, error))
            continue
        walk = _Walk(kind, template, where)
        walk.visit(tree, {})
        faults += walk.faults
        used |= walk.used
    names = {name for name, _ in used}
    for must in _MUST:
        if must not in names:
            faults.append(_absent(must, must, must, warning=False))
    for field in kind.fields:
        if field.id not in names:
            faults.append(_absent(field.id, field.name.zh, field.name.en, warning=not field.required))
            continue
        for column in field.columns:
            if (field.id, column.id) not in used:
                faults.append(_absent(
                    f"row.{column.id}", f"{field.name.zh}的{column.name.zh}", f"{column.name.en} of {field.name.en}",
                    warning=not column.required,
                ))  # fmt: skip
    return faults


def context_of(kind: Kind, head: Mapping[str, str], printed: Mapping[str, Any]) -> dict[str, Any]:
    """What a template of the kind is filled with."""
    return {field.id: printed.get(field.id, [] if field.columns else "") for field in kind.fields} | dict(head)


def _package_faults(content: bytes) -> list[TemplateFault]:
    def wrong(code: str, zh: str, en: str, where: str = "文件") -> list[TemplateFault]:
        return [TemplateFault(where, "", code, zh, en)]

    if len(content) > LARGEST:
        return wrong("too-large", "模板超过 2 MB", "the template is larger than 2 MB")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            infos = package.infolist()
            if len(infos) > 400 or sum(one.file_size for one in infos) > LARGEST_UNPACKED:
                return wrong("too-large", "模板解压后过大", "the template unpacks to too much")
            names = [one.filename for one in infos]
            if "word/document.xml" not in names:
                return wrong("not-docx", "不是 Word 文档（.docx）", "not a Word document (.docx)")
            for name in names:
                if any(word in name.lower() for word in _FORBIDDEN_PARTS):
                    return wrong("active-content", "模板含有宏或嵌入对象，不能使用", "the template holds macros or embedded objects", name)
                if name.endswith((".xml", ".rels")):
                    data = package.read(name)
                    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
                        return wrong("active-content", "模板含有外部实体定义", "the template defines entities", name)
                    if name.endswith(".rels") and re.search(rb'TargetMode\s*=\s*["\']External', data):
                        return wrong("external", "模板引用了外部文件或网址，请删去链接", "the template refers to something outside; remove the link", name)
    except (zipfile.BadZipFile, RuntimeError, OSError, NotImplementedError) as error:
        return [_unreadable(error)]
    return []


def _unreadable(error: BaseException) -> TemplateFault:
    return TemplateFault("文件", "", "not-docx", "不是可读的 Word 文档（.docx）", f"not a readable Word document: {type(error).__name__}")


def _parts(template: Any) -> Iterator[tuple[str, str]]:
    yield "正文", template.patch_xml(template.get_xml())
    for word, uri in (("页眉", template.HEADER_URI), ("页脚", template.FOOTER_URI)):
        for _, part in template.get_headers_footers(uri):
            yield word, template.patch_xml(template.get_part_xml(part))
    for part in template.docx.part.package.parts:
        if "footnotes+xml" in part.content_type:
            yield "脚注", template.patch_xml(part.blob.decode("utf-8"))
    properties = template.docx.core_properties
    for name in ("author", "comments", "identifier", "language", "subject", "title"):
        yield "文档属性", getattr(properties, name) or ""


class _Walk:
    """Compares what a template says with what it may say."""

    def __init__(self, kind: Kind, template: Any, where: str) -> None:
        self.kind, self.template, self.where = kind, template, where
        self.lists = {one.id: one for one in kind.fields if one.columns}
        self.names = {one.id for one in kind.fields} | (RESERVED - {"loop"})
        self.faults: list[TemplateFault] = []
        self.used: set[tuple[str, str]] = set()

    def visit(self, node: nodes.Node, rows: Mapping[str, DocumentField]) -> None:
        if isinstance(node, nodes.For):
            self._loop(node, rows)
        elif isinstance(node, nodes.Getattr):
            self._attribute(node, rows)
        elif isinstance(node, nodes.Name):
            self._name(node, rows)
        elif isinstance(node, _PLAIN):
            for child in node.iter_child_nodes():
                self.visit(child, rows)
        else:
            self._fault(
                type(node).__name__.lower(), "not-allowed",
                "模板里只能写字段、清单循环和条件", "a template may print fields, repeat rows and leave parts out; nothing else",
            )  # fmt: skip

    def _loop(self, node: nodes.For, rows: Mapping[str, DocumentField]) -> None:
        name = node.iter.name if isinstance(node.iter, nodes.Name) else None
        if name not in self.lists or not isinstance(node.target, nodes.Name) or node.test or node.recursive or node.else_:
            self._fault(name or "for", "bad-loop", "循环只能写成 for row in 清单字段", "a loop is: for row in a list field")
            return
        self.used.add((name, ""))
        for child in node.body:
            self.visit(child, {**rows, node.target.name: self.lists[name]})

    def _attribute(self, node: nodes.Getattr, rows: Mapping[str, DocumentField]) -> None:
        row = node.node.name if isinstance(node.node, nodes.Name) else None
        if row == "loop" and rows and node.attr in _LOOP:
            return
        field = rows.get(row or "")
        if field is None:
            self._fault(f"{row or '…'}.{node.attr}", "not-allowed", "只有清单的行才有栏目", "only a list's rows have columns")
        elif node.attr != "no" and node.attr not in {column.id for column in field.columns}:
            known = "、".join(column.id for column in field.columns)
            self._fault(f"{row}.{node.attr}", "unknown", f"清单没有这一栏；有：{known}", f"no such column; there are: {known}")
        else:
            self.used.add((field.id, node.attr))

    def _name(self, node: nodes.Name, rows: Mapping[str, DocumentField]) -> None:
        if node.name in self.names:
            self.used.add((node.name, ""))
        elif node.name not in rows:
            self._fault(node.name, "unknown", "本文书没有这个字段，请检查拼写", "this kind has no such field; check the spelling")

    def _fault(self, placeholder: str, code: str, zh: str, en: str) -> None:
        where = _paragraph_of(self.template, placeholder) or self.where
        self.faults.append(TemplateFault(where, placeholder, code, zh, en))


def _paragraph_of(template: Any, placeholder: str) -> str | None:
    """Which paragraph of the body a placeholder stands in, counted as Word shows them, tables included."""
    pattern = re.compile(r"\{[{%][^{}]*\b" + re.escape(placeholder) + r"\b")
    for number, paragraph in enumerate(template.docx.element.body.iter(_P), 1):
        if pattern.search("".join(text.text or "" for text in paragraph.iter(_T))):
            return f"第 {number} 段"
    return None


_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_P, _T = f"{_W}p", f"{_W}t"


def _syntax(template: Any, where: str, error: TemplateSyntaxError) -> TemplateFault:
    for number, paragraph in enumerate(template.docx.element.body.iter(_P), 1):
        text = "".join(one.text or "" for one in paragraph.iter(_T))
        if text.count("{{") != text.count("}}") or text.count("{%") != text.count("%}"):
            return TemplateFault(f"第 {number} 段", text[:60], "syntax", "括号没有成对", "braces that do not match")
    return TemplateFault(where, "", "syntax", f"写法有误：{error.message}", f"syntax: {error.message}")


def _absent(placeholder: str, zh: str, en: str, *, warning: bool) -> TemplateFault:
    return TemplateFault(
        "全文", placeholder, "absent", f"模板里没有“{zh}”（{{{{ {placeholder} }}}}）", f"the template lacks {en} ({{{{ {placeholder} }}}})", warning
    )
