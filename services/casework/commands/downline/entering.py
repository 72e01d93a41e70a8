"""One fact as an officer enters it, by the API or by the form: read by the same rules as a row of a file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from services.casework.domain.downline.rows import Row, RowRefused, read_row
from services.casework.schemas.downline import NamedBody
from shared.kit.problem import Invalid


def row_of(body: Any, named: Mapping[str, NamedBody], today: date) -> Row:
    """What a body says of the members named on its sides. Raises `Invalid` with the field that is wrong."""
    cells: dict[str, Any] = {"on": body.on, "amount": body.amount, "source": body.source, "kind": body.kind}
    cells["organisation"] = getattr(body, "organisation", None)
    cells["denies"] = "yes" if body.denies else "no"
    for side, one in named.items():
        cells |= {side: one.code, f"{side}_name": one.name, f"{side}_identity": one.identity, f"{side}_account": one.account}
    try:
        return read_row(cells, 1, body.kind, today)
    except RowRefused as error:
        raise Invalid(
            f"{error.said} 未保存任何内容。 Nothing was kept.", code=error.code,
            errors=[{"field": error.field, "code": error.code, "message": error.said}],
        ) from error  # fmt: skip
