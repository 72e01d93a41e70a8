"""Events of joint operations (联合行动): what one brought, in numbers."""

from datetime import datetime
from typing import ClassVar

from shared.events.proceedings import _ProceedingEvent


class OperationResult(_ProceedingEvent):
    """What a joint operation brought: told at its end (`state` ended) and as it was reported upward (`reported`).

    `agencies` took part with `officers` people; `figures` are sums of what was entered on the scene (`places`, `dens`,
    `persons`, persons by role, `minors`, `rescued`, items, `cash_yuan`). The last one told counts.
    """

    TYPE: ClassVar[str] = "dachuan.proceeding.operation-result.v1"

    state: str
    agencies: tuple[str, ...]
    officers: int
    figures: dict[str, int]
    started_at: datetime
    told_at: datetime


ALL = (OperationResult,)
