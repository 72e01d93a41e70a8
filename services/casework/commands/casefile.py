"""What commands that change a case share."""

from __future__ import annotations

from typing import Any

from shared.kit.etag import etag
from shared.kit.problem import Outdated


def outdated(case: Any, version: int) -> Outdated:
    """The refusal of a change made from an older version, with what changed since."""
    since = [step for step in case.history if step["version"] > version]
    return Outdated(
        "您打开本案之后案件有变动（见 changes），您的操作未保存；请查看最新情况后再提交。 "
        "The case changed since you read it (see changes); nothing was saved. Look again, then send again.",
        headers={"etag": etag(case.version)},
        current=etag(case.version),
        changes=[{k: step.get(k) for k in ("version", "at", "step", "agency", "unit")} for step in since],
    )
