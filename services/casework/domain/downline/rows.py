"""Rows of a downline list: columns known by their headings, cells read, each mistake told by field and reason."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from services.casework.domain.downline.kinds import FACT_KINDS
from services.casework.domain.persons import Identity, IdKind, PersonRefused, identity

HEADINGS: dict[str, tuple[str, ...]] = {
    "upline": ("上线编号", "上线", "上线账号", "上级", "上级编号", "推荐人编号", "推荐人", "介绍人", "upline", "sponsor", "referrer",
               "parent", "uplineid", "sponsorid"),
    "upline_name": ("上线姓名", "推荐人姓名", "介绍人姓名", "uplinename", "sponsorname"),
    "upline_identity": ("上线身份证", "上线身份证号", "推荐人身份证号", "uplineidentity"),
    "upline_account": ("上线收款账号", "上线银行账号", "uplineaccount"),
    "downline": ("下线编号", "下线", "编号", "会员编号", "会员号", "账号", "被推荐人", "被推荐人编号", "昵称", "downline", "member", "memberid",
                 "recruit", "id", "code", "account"),
    "downline_name": ("下线姓名", "姓名", "会员姓名", "被推荐人姓名", "name", "membername", "downlinename"),
    "downline_identity": ("下线身份证", "下线身份证号", "身份证", "身份证号", "身份证号码", "identity", "identitynumber", "idnumber"),
    "downline_account": ("收款账号", "银行账号", "银行卡号", "下线收款账号", "bankaccount", "downlineaccount"),
    "organisation": ("组织", "组织代码", "体系", "团队", "organisation", "organization", "team"),
    "kind": ("种类", "证据种类", "证据类型", "事实种类", "依据", "kind", "evidencekind", "type"),
    "denies": ("否认", "是否否认", "denies", "denied"),
    "on": ("日期", "时间", "加入日期", "发展日期", "加入时间", "付款日期", "交易日期", "date", "joined", "joinedon", "paidon"),
    "amount": ("金额", "缴费金额", "付款金额", "入门费", "交易金额", "amount", "paid", "fee"),
    "source": ("来源", "出处", "卷宗页码", "证据出处", "备注", "source", "page", "note"),
}  # fmt: skip
"""Field → its headings, the first of them the one we write."""

_KINDS = {
    "statement": ("口供", "证言", "供述", "笔录", "陈述", "言词证据"),
    "payment": ("付款", "付款记录", "缴费", "缴费记录", "交费"),
    "rebate": ("返利", "返利记录", "提成", "奖金"),
    "bank": ("银行流水", "流水", "转账", "银行"),
    "chart": ("架构图", "结构图", "图表", "图"),
    "edata": ("电子数据", "后台数据", "聊天记录", "系统数据"),
}
_NO, _YES = ("", "否", "no", "n", "false", "0"), ("是", "否认", "yes", "y", "true", "1")
_FIRST_DAY = date(1990, 1, 1)
MOST_FEN = 10**13
_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d")


class RowRefused(ValueError):
    """A row is not kept: its field, a code, and the reason in Chinese and in English."""

    def __init__(self, field: str, code: str, zh: str, en: str) -> None:
        super().__init__(f"{zh} {en}")
        self.field, self.code, self.said = field, code, f"{zh} {en}"


@dataclass(frozen=True, slots=True)
class Named:
    """A code with what else the row tells of the member."""

    code: str
    name: str | None = None
    identity: Identity | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One fact: a recruitment, or without `upline` a member alone. `amount` in fen."""

    line: int
    downline: Named
    upline: Named | None
    kind: str
    denies: bool = False
    on: date | None = None
    amount: int | None = None
    organisation: str | None = None
    source: str | None = None
    occurrence: int = field(default=0)


def folded(word: Any) -> str:
    """A heading or word as it is compared."""
    return re.sub(r"[\s_\-（）()：:/]+", "", unicodedata.normalize("NFKC", str(word or ""))).casefold()


_MEANT = {folded(word): name for name, words in HEADINGS.items() for word in (name, *words)}
_KIND_OF = {folded(word): kind for kind, words in _KINDS.items() for word in (kind, *words)}


def guess_columns(heading: Sequence[Any]) -> dict[str, int]:
    """Which column holds which field; the first of two alike counts."""
    columns: dict[str, int] = {}
    for index, cell in enumerate(heading):
        name = _MEANT.get(folded(cell))
        if name and name not in columns:
            columns[name] = index
    return columns


def read_row(cells: Mapping[str, Any], line: int, kind: str, today: date) -> Row:
    """A row of cells by field. Raises `RowRefused`."""
    downline = _named(cells, "downline", today)
    if downline is None:
        raise RowRefused("downline", "missing", "缺少下线编号。", "The downline's code is missing.")
    upline = _named(cells, "upline", today)
    if upline is not None and folded(upline.code) == folded(downline.code):
        raise RowRefused("upline", "self", "上线与下线是同一编号。", "Upline and downline are the same code.")
    if upline and upline.identity and downline.identity and upline.identity.number == downline.identity.number:
        raise RowRefused(
            "upline_identity", "self", "上线与下线是同一身份证号。", "Upline and downline have the same identity number."
        )
    return Row(
        line=line,
        downline=downline,
        upline=upline,
        kind=_kind(cells.get("kind"), kind),
        denies=_denies(cells.get("denies")),
        on=_day(cells.get("on"), today),
        amount=_fen(cells.get("amount")),
        organisation=_text(cells, "organisation", 60),
        source=_text(cells, "source", 300),
    )


def _named(cells: Mapping[str, Any], side: str, today: date) -> Named | None:
    code = _text(cells, side, 80)
    if code is None:
        return None
    given = _text(cells, f"{side}_identity", 30)
    who = None
    if given:
        try:
            who = identity(IdKind.RESIDENT, given, today)
        except PersonRefused as error:
            raise RowRefused(f"{side}_identity", error.code, error.zh, error.en) from None
    return Named(code, _text(cells, f"{side}_name", 60), who, _text(cells, f"{side}_account", 80))


def _text(cells: Mapping[str, Any], name: str, most: int) -> str | None:
    value = cells.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        raise RowRefused(name, "not-text", "应为文字。", "It must be text.")
    if isinstance(value, float):
        if abs(value) >= 1e15 or value != value:
            raise RowRefused(
                name, "number-cut", "长号码被表格软件存成了数字，末位已丢失；请把该列设为“文本”后重填。",
                "A long number was kept as a number and lost its last digits; make the column text.",
            )  # fmt: skip
        value = int(value) if value == int(value) else value
    text = unicodedata.normalize("NFC", str(value)).strip()
    if not text:
        return None
    if text[0] in "=@" or "\0" in text or any(0xD800 <= ord(char) <= 0xDFFF for char in text):
        raise RowRefused(name, "formula", "不能是公式或含控制字符。", "It must not be a formula nor hold control characters.")
    if len(text) > most:
        raise RowRefused(name, "too-long", f"超过 {most} 个字。", f"Longer than {most} characters.")
    return text


def _kind(value: Any, otherwise: str) -> str:
    if value is None or not str(value).strip():
        return otherwise
    kind = _KIND_OF.get(folded(value))
    if kind is None:
        raise RowRefused(
            "kind", "unknown-kind", "证据种类应为：口供、付款、返利、银行流水、架构图或电子数据。",
            f"The kind must be one of {', '.join(FACT_KINDS)}.",
        )  # fmt: skip
    return kind


def _denies(value: Any) -> bool:
    word = folded(value if not isinstance(value, float) else int(value))
    if word in _YES:
        return True
    if word not in _NO:
        raise RowRefused("denies", "not-yes-or-no", "“否认”一栏请填 是 或 否。", "Say yes or no.")
    return False


def _day(value: Any, today: date) -> date | None:
    if value is None or value == "":
        return None
    found: date | None = None
    if isinstance(value, datetime):
        found = value.date()
    elif isinstance(value, date):
        found = value
    else:
        text = str(int(value)) if isinstance(value, float) and value == int(value) else str(value).strip()
        text = text.split(" ")[0].split("T")[0]
        for form in _DATES:
            try:
                found = datetime.strptime(text, form).date()
                break
            except ValueError:
                continue
    if found is None:
        raise RowRefused("on", "bad-date", "日期不成立，请写成 2025-03-08。", "Not a date; write 2025-03-08.")
    if not _FIRST_DAY <= found <= today + timedelta(days=1):
        raise RowRefused("on", "impossible-date", "日期早于 1990 年或在将来。", "The date is before 1990 or lies ahead.")
    return found


def _fen(value: Any) -> int | None:
    if value is None or value == "":
        return None
    text = re.sub(r"[,，\s¥￥元]", "", str(value))
    try:
        fen = Decimal(text) * 100
        if not fen.is_finite() or fen < 0 or fen > MOST_FEN:
            raise InvalidOperation
    except InvalidOperation:
        raise RowRefused("amount", "bad-amount", "金额应为不小于 0 的数字（元）。", "The amount must be a number of yuan, 0 or more.") from None
    return int(fen.to_integral_value())
