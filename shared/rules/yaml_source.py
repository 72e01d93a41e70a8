"""YAML files read with the line of every value kept, so that a mistake is told as ``file:line``.

Scalars keep their plain meaning (text, whole numbers, decimals, true/false, empty); dates stay text and are
parsed by the model that knows what they are. Anchors are followed; tags other than the plain ones are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from sys import intern
from typing import Any, ClassVar

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Path_ = tuple[str | int, ...]

_TRUE = {"true", "True", "TRUE"}
_EMPTY = {"", "~", "null", "Null", "NULL"}
_CODE = 40
"""Characters up to which a text may be a code that comes hundreds of times; each is kept once."""


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a file; ``str()`` gives ``file:line``. Lines count from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class YamlProblem(Exception):
    """A file that is not the YAML it should be: unreadable, bad syntax, a key given twice, an unknown tag."""

    def __init__(self, where: Where, code: str, text_zh: str, text_en: str) -> None:
        super().__init__(f"{where}: {text_en}")
        self.where, self.code, self.text_zh, self.text_en = where, code, text_zh, text_en


@dataclass(slots=True)
class Source:
    """A parsed file: its plain value and the place of each part, addressed by the path of keys to it."""

    file: str
    value: Any
    places: dict[Path_, Where]


class Reader(yaml.CSafeLoader):
    """libyaml's parser with the plain values of YAML 1.2's core schema (10.3.2): `no` and `12:30` are text."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[Any]]] = {}


for _tag, _form, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9][0-9_]*|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    Reader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_form})$"), list(_first))


Stamp = tuple[tuple[str, int, int], ...]


def stamp(folder: Path) -> Stamp:
    """What tells whether the YAML files below a folder are as they were: path, time of change (ns) and size (bytes).

    Frozen things made of them are kept by it, since reading takes a hundred times as long.
    """
    files = ((str(path), path.stat()) for path in sorted(folder.rglob("*.yaml")))
    return tuple((name, found.st_mtime_ns, found.st_size) for name, found in files)


def read_yaml(path: Path, shown_as: str | None = None) -> Source:
    """Read one UTF-8 file; ``shown_as`` is the name used in messages. Raises `YamlProblem`."""
    name = shown_as or str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise YamlProblem(
            Where(name, line),
            "not-utf8",
            "文件不是 UTF-8 编码；请另存为 UTF-8。",
            "the file is not UTF-8; save it as UTF-8",
        ) from error
    except OSError as error:
        raise YamlProblem(
            Where(name, 1),
            "unreadable",
            f"文件读不出来：{error.strerror}。",
            f"cannot be read: {error.strerror}",
        ) from error
    return read_yaml_text(text, name)


def read_yaml_text(text: str, name: str) -> Source:
    """The same of a text in hand; ``name`` is used in messages. Raises `YamlProblem`."""
    try:
        node = yaml.compose(text, Reader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problem = error.problem or str(error)
        raise YamlProblem(
            Where(name, line),
            "yaml-syntax",
            f"YAML 写法有误（{problem}）；请检查这一行及上一行的缩进、冒号后的空格和引号。",
            f"YAML syntax: {problem}; check indentation, the space after the colon and quotes here and above",
        ) from error
    except (ValueError, yaml.YAMLError) as error:
        raise YamlProblem(
            Where(name, 1), "yaml-syntax", f"YAML 写法有误（{error}）。", f"YAML syntax: {error}"
        ) from error
    source = Source(name, {}, {(): Where(name, 1)})
    if node is not None:
        source.value = _plain(node, (), source, 0)
    return source


def _plain(node: Node, path: Path_, source: Source, depth: int) -> Any:
    here = Where(source.file, node.start_mark.line + 1)
    source.places.setdefault(path, here)
    if depth > 40:
        raise YamlProblem(here, "too-deep", "层次太深。", "nested too deeply")
    if isinstance(node, ScalarNode):
        return _scalar(node, here)
    if isinstance(node, SequenceNode):
        return [_plain(item, (*path, index), source, depth + 1) for index, item in enumerate(node.value)]
    if not isinstance(node, MappingNode):
        raise YamlProblem(here, "yaml-syntax", "看不懂的 YAML 节点。", "unknown YAML node")
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = Where(source.file, key_node.start_mark.line + 1)
        if not isinstance(key_node, ScalarNode):
            raise YamlProblem(line, "bad-key", "键必须是文字。", "a key must be plain text")
        key = intern(str(key_node.value))
        if key in result:
            raise YamlProblem(
                line,
                "duplicate-key",
                f"“{key}”在同一处写了两次；请删去一个。",
                f"key “{key}” is given twice; remove one",
            )
        source.places[(*path, key)] = line
        result[key] = _plain(value_node, (*path, key), source, depth + 1)
    return result


def _scalar(node: ScalarNode, here: Where) -> Any:
    tag = str(node.tag).rpartition(":")[2]
    text: str = node.value
    if tag in {"str", "timestamp", "merge", "value"}:
        return intern(text) if len(text) <= _CODE else text
    if tag == "null":
        return None if text in _EMPTY else text
    if tag == "bool":
        return text in _TRUE
    if tag == "int":
        return int(text.replace("_", ""), 0) if not text.lstrip("+-").startswith("0") else _zero_led(text)
    if tag == "float":
        return float(text.replace("_", ""))
    raise YamlProblem(
        here, "yaml-tag", f"不允许的 YAML 标签 {node.tag}。", f"YAML tag {node.tag} is not allowed"
    )


def _zero_led(text: str) -> int | str:
    """Keep codes such as 0760 as text: only a lone zero is a number."""
    return 0 if text.strip("+-") == "0" else text
