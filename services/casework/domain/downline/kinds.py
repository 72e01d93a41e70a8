"""Kinds of facts that carry a recruitment, and the parts that make a leader."""

from __future__ import annotations

from collections.abc import Iterable

FACT_KINDS = ("statement", "payment", "rebate", "bank", "chart", "edata")
"""口供、证言; 付款; 返利; 银行流水; 架构图; 电子数据 (2013 意见: counts may rest on the latter where statements cannot be had)."""

_BITS = {"statement": 1, "payment": 2, "rebate": 2, "bank": 4, "chart": 8, "edata": 16}
ROLES = ("initiator", "manager", "trainer", "key")
"""发起、策划、操纵; 管理、协调; 宣传、培训; 其他关键作用 (2013 意见 二)."""


def mask_of(kinds: Iterable[str]) -> int:
    """Kinds of facts as a mask; a payment and a rebate are one kind of proof. KeyError for an unknown kind."""
    mask = 0
    for kind in kinds:
        mask |= _BITS[kind]
    return mask


def kinds_of(mask: int) -> tuple[str, ...]:
    """The kinds of proof in a mask."""
    return tuple(kind for kind in FACT_KINDS if kind != "rebate" and mask & _BITS[kind])
