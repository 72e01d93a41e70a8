"""Guards by the names that procedures use: each judges one thing that a table cannot say, and says why not."""

from __future__ import annotations

from collections.abc import Mapping

from services.casework.domain.guards import common, execution, measures, operations, penalties, requests, supervision
from services.casework.domain.proceedings import Guard

GUARDS: Mapping[str, Guard] = {
    **common.GUARDS, **execution.GUARDS, **measures.GUARDS, **operations.GUARDS, **penalties.GUARDS,
    **requests.GUARDS, **supervision.GUARDS,
}  # fmt: skip
"""Every guard there is."""
