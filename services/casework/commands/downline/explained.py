"""The evaluation as its readers are shown it: words of the law, codes and names of members, the way to each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.adapters.downline_people import open_member
from services.casework.commands.downline.evaluating import evaluate_case
from services.casework.queries import downline as queries
from services.casework.queries.downline_network import load_network
from services.casework.tables import downline_members, kit
from shared.kit import audit, db
from shared.kit.access import Caller
from shared.kit.problem import TooLarge
from shared.kit.service import Service

MOST_TOLD = 50
"""Organisers and cycles told in full."""
MOST_EXPORTED = 250_000


class Explained:
    """Shows evaluations, pictures and exports of downlines; every reading is recorded, since members are named."""

    EXPORTED = (
        "upline", "upline_name", "downline", "downline_name", "downline_identity", "organisation", "on", "amount",
    )  # fmt: skip

    def __init__(self, service: Service) -> None:
        self._service = service
        self._keys = service.settings.keys

    async def told(
        self, caller: Caller, case_id: UUID, now: datetime, way: tuple[int, int] | None = None
    ) -> dict[str, Any] | None:
        """The evaluation of a case, current; with `way` the recruitments that count a member for an organiser."""
        found = await self._current(caller, case_id, now)
        if found is None:
            return None
        case, row = found
        answer: dict[str, Any] = {"case_id": case_id, "number": case.number, "version": row.version if row else 0}
        if row is None or not row.evaluation:
            return answer | {"evaluation": None, "reached": []}
        evaluation = dict(row.evaluation)
        evaluation["organisers"] = evaluation["organisers"][:MOST_TOLD]
        evaluation["cycles"] = evaluation["cycles"][:MOST_TOLD]
        steps = await self._way(case_id, way) if way else None
        numbers = [no for one in evaluation["organisers"] for no in one["members"][:5]]
        numbers += [no for cycle in evaluation["cycles"] for no in cycle[:10]]
        numbers += [no for step in steps or [] for pair in step for no in pair] + list(way or ())
        async with db.begin(self._service.engine) as conn:
            names = await queries.labels(conn, self._keys, case_id, numbers)
            facts = await queries.facts_of(conn, self._keys, case_id, [pair for step in steps or [] for pair in step])
            await audit.record(
                conn, kit, caller, "downline.evaluation", "case", [case_id], now, version=row.version,
                way=list(way) if way else None,
            )  # fmt: skip
        self._words(evaluation)
        answer |= {"reached": evaluation["reached"], "evaluation": evaluation, "names": {str(k): v for k, v in names.items()}}
        if way:
            answer["way"] = {
                "organiser": way[0], "member": way[1], "counted": steps is not None,
                "steps": [
                    [{"upline": up, "downline": down, "facts": facts[up, down]} for up, down in step]
                    for step in steps or []
                ],
            }  # fmt: skip
        return answer

    async def _current(self, caller: Caller, case_id: UUID, now: datetime) -> tuple[Any, Any] | None:
        async with db.begin(self._service.engine) as conn:
            case = await queries.the_downline(conn, caller, case_id)
        if case is None:
            return None
        return case, await evaluate_case(self._service, case_id, now)

    def _words(self, evaluation: dict[str, Any]) -> None:
        day = date.fromisoformat(evaluation["day"])
        for organiser in evaluation["organisers"]:
            for verdict in organiser["verdicts"]:
                for item in verdict["items"]:
                    limit = self._service.law.in_force(item["rule"], day).limit
                    item["what"] = {"zh": limit.what.zh, "en": limit.what.en}
                    item["unit"] = str(limit.unit)

    async def _way(self, case_id: UUID, way: tuple[int, int]) -> list[list[tuple[int, int]]] | None:
        from services.casework.domain.downline.views import way as find

        async with db.begin(self._service.engine) as conn:
            network = await load_network(conn, case_id)
        if max(way) > network.members:
            return None
        steps = await asyncio.to_thread(find, network, way[0] - 1, way[1] - 1)
        if steps is None:
            return None
        return [[(up + 1, down + 1) for up, down in step.edges] for step in steps]

    async def picture(self, caller: Caller, case_id: UUID, now: datetime, root: int | None = None) -> Any:
        """The network cut to its top, with code and name at each point."""
        found = await self._current(caller, case_id, now)
        if found is None:
            return None
        row = found[1]
        drawn = row.picture if row is not None else None
        if drawn is None:
            return {"roots": [], "more": 0, "persons": 0}
        async with db.begin(self._service.engine) as conn:
            if root is not None:
                from services.casework.domain.downline.views import picture

                network = await load_network(conn, case_id)
                if root > network.members:
                    return {"roots": [], "more": 0, "persons": 0}
                drawn = await asyncio.to_thread(picture, network, root - 1)
            points = list(_points(drawn["roots"]))
            names = await queries.labels(conn, self._keys, case_id, [one["member"] + 1 for one in points])
            await audit.record(conn, kit, caller, "downline.picture", "case", [case_id], now, count=len(points))
        for one in points:
            one["no"] = one.pop("member") + 1
            one["label"] = names.get(one["no"], str(one["no"]))
        return drawn

    async def exported(self, caller: Caller, case_id: UUID, now: datetime) -> Sequence[Sequence[Any]] | None:
        """Rows of an export: `EXPORTED`, then the kinds of proof and whether it is disputed. Raises `TooLarge`."""
        async with db.begin(self._service.engine) as conn:
            case = await queries.the_downline(conn, caller, case_id)
            if case is None:
                return None
            if (case.edges or 0) > MOST_EXPORTED:
                raise TooLarge(
                    f"上下线关系超过 {MOST_EXPORTED} 条，不能一次导出；请用分页接口。 "
                    f"More than {MOST_EXPORTED} recruitments cannot be exported at once; read them by page."
                )
            rows = await self._rows(conn, case_id)
            await audit.record(conn, kit, caller, "downline.export", "case", [case_id], now, rows=len(rows))
        return rows

    async def _rows(self, conn: AsyncConnection, case_id: UUID) -> list[list[Any]]:
        m = downline_members.c
        words, organisations = {}, {}
        for row in await conn.execute(select(m.no, m.sealed, m.organisation).where(m.case_id == case_id)):
            words[row.no] = open_member(self._keys, case_id, row.no, row.sealed)
            organisations[row.no] = row.organisation
        rows: list[list[Any]] = []
        after: tuple[int, int] | None = None
        told = {"statement": "口供", "payment": "付款", "bank": "银行流水", "chart": "架构图", "edata": "电子数据"}
        recruited: set[int] = set()
        while True:
            found = await queries.edges_page(conn, case_id, after=after, limit=5_000)
            for one in found[:5_000]:
                up, down = words[one["upline"]], words[one["downline"]]
                recruited |= {one["upline"], one["downline"]}
                rows.append(
                    [
                        up["code"], up["name"], down["code"], down["name"], down["identity"],
                        organisations[one["downline"]], one["first_on"] and str(one["first_on"]), f"{one['paid']:.2f}",
                        "、".join(told[kind] for kind in one["kinds"]), "是" if one["disputed"] else "",
                    ]
                )  # fmt: skip
            if len(found) <= 5_000:
                break
            after = (found[4_999]["upline"], found[4_999]["downline"])
        for no in sorted(words.keys() - recruited):
            one = words[no]
            rows.append(
                [None, None, one["code"], one["name"], one["identity"], organisations[no], None, None, None, None]
            )
        return rows


def _points(roots: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found, waiting = [], list(roots)
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += one["children"]
    return found
