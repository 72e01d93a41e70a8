"""What the domain refuses, as the problems people and programs are answered with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from services.casework.domain.proceedings import Incomplete, Refused
from shared.kit.problem import Conflict, Forbidden, Invalid

_FORBIDDEN = {"not-yours", "not-yours-to-open", "approval-needed"}


@contextmanager
def refusing() -> Iterator[None]:
    """Answers `Incomplete` with Invalid (each field with its fault) and `Refused` with Conflict or Forbidden."""
    try:
        yield
    except Incomplete as error:
        raise Invalid(
            "有的内容没有填对，未保存；请按 fields 逐项改正后再提交。 "
            "Some fields are missing or wrong (see fields); nothing was kept. Correct them and send again.",
            code="fields",
            fields=error.fields,
        ) from error
    except Refused as error:
        kind = Forbidden if error.code in _FORBIDDEN else Conflict
        raise kind(f"{error.zh} {error.en}", code=error.code, **error.more) from error
