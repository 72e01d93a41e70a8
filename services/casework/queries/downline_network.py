"""A case's downline as the network that is counted: numbers only, read in packed form."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.tables import downline_members

if TYPE_CHECKING:
    from services.casework.domain.downline.network import Network

_EDGES = text(
    """
    SELECT string_agg(int4send(upline) || int4send(downline) || int4send(kinds::int) || int4send(denied::int)
        || int4send(coalesce(first_on - DATE '0001-01-01' + 1, 0)) || int8send(paid), ''::bytea
        ORDER BY upline, downline)
    FROM downline_edges WHERE case_id = :case
    """
)
_MEMBERS = text(
    """
    SELECT string_agg(int4send(no) || int4send(person::int) || int4send(organisation::int), ''::bytea ORDER BY no)
    FROM (
        SELECT no, dense_rank() OVER (ORDER BY coalesce('p' || person_id::text, 'i' || encode(identity_token, 'hex'),
                'a' || encode(account_token, 'hex'), 'n' || no::text)) AS person,
            CASE WHEN organisation IS NULL THEN 0 ELSE dense_rank() OVER (ORDER BY organisation) END AS organisation
        FROM downline_members WHERE case_id = :case
    ) m
    """
)
"""Codes are one person by the register of persons, else by identity number, else by account."""


async def load_network(conn: AsyncConnection, case_id: UUID) -> Network:
    """The network of a case; member index = number - 1."""
    import numpy as np

    from services.casework.domain.downline.network import Network, Standing

    members = np.frombuffer(
        await conn.scalar(_MEMBERS, {"case": case_id}) or b"", np.dtype([("no", ">i4"), ("person", ">i4"), ("org", ">i4")])
    )
    edges = np.frombuffer(
        await conn.scalar(_EDGES, {"case": case_id}) or b"",
        np.dtype(
            [("up", ">i4"), ("down", ">i4"), ("kinds", ">i4"), ("denied", ">i4"), ("day", ">i4"), ("paid", ">i8")]
        ),
    )
    t = downline_members.c
    marked = await conn.execute(
        select(t.no, t.roles, t.convicted, t.penalised_on, t.left_on, t.still_paid, t.collected, t.grave).where(
            t.case_id == case_id,
            or_(
                t.roles != [], t.convicted, t.penalised_on.is_not(None), t.left_on.is_not(None), t.collected > 0,
                t.grave != [],
            ),
        )
    )  # fmt: skip
    return Network(
        members=len(members),
        person=members["person"].astype(np.int64),
        organisation=members["org"].astype(np.int64),
        upline=edges["up"].astype(np.int64) - 1,
        downline=edges["down"].astype(np.int64) - 1,
        kinds=edges["kinds"].astype(np.uint8),
        denied=edges["denied"] != 0,
        day=edges["day"].astype(np.int64),
        paid=edges["paid"].astype(np.int64),
        standing={
            row.no - 1: Standing(
                frozenset(row.roles), row.convicted, row.penalised_on, row.left_on, row.still_paid, row.collected,
                frozenset(row.grave),
            )
            for row in marked
        },
    )  # fmt: skip


async def last_fact(conn: AsyncConnection, case_id: UUID) -> date | None:
    """The latest dated recruitment: until then the act went on."""
    found: Any = await conn.scalar(
        text("SELECT max(happened_on) FROM downline_facts WHERE case_id = :case AND upline IS NOT NULL AND NOT denies"),
        {"case": case_id},
    )
    return found
