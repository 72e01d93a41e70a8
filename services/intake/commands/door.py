"""The door for anonymous posts: free at rest, proof of work or a wait under load, never shut to who is in danger."""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from services.intake.domain.reading import read
from services.intake.domain.work import Challenge, Door, Outcome, Rules
from services.intake.metrics import WORK_BITS, WORK_POSTS
from services.intake.settings import Settings
from services.intake.tables import tip_flags
from shared.kit import clock, db
from shared.kit.problem import TooMany
from shared.kit.service import Service


class WorkNeeded(TooMany):
    """A post without proof of work while it is asked for; carries a challenge to answer."""


def open_door(settings: Settings) -> Door:
    """The door of this process. Several processes share the key, and each forgets for itself which proofs were used."""
    rules = Rules(
        free_a_second=settings.work_free_a_second,
        burst=settings.work_burst,
        valid_s=settings.work_valid_s,
        wait_s=settings.work_wait_s,
        waits_a_second=settings.waits_a_second,
    )
    return Door(rules, lambda message: settings.keys.token("work", message))


def challenge(door: Door) -> Challenge:
    """A fresh challenge, as hard as the load is now."""
    return door.challenge(int(clock.now().timestamp()), time.monotonic(), secrets.token_hex(12))


def work_out(door: Door, settings: Settings, *, asked: bool = False) -> dict[str, Any]:
    """A challenge as `WorkOut`; `asked` when the post before it was turned back."""
    made = challenge(door)
    bits = door.bits(time.monotonic())
    WORK_BITS.set(bits)
    return {
        "challenge": made.text,
        "bits": made.bits if bits or asked else 0,
        "algorithm": "sha-256",
        "wait_s": settings.work_wait_s,
        "expires_at": (datetime.fromtimestamp(made.made_s, UTC) + timedelta(seconds=settings.work_valid_s)).isoformat(),
    }


def admit(door: Door, settings: Settings, proof: str, words: Callable[[], str]) -> Outcome:
    """Let an anonymous post in or raise WorkNeeded with a challenge. `words` are read only when it would be turned
    back: a tip about somebody in danger comes in unproven."""
    steady = time.monotonic()
    outcome = door.decide(proof[:300], int(clock.now().timestamp()), steady, lambda: read("", words()).urgent)
    WORK_BITS.set(door.bits(steady))
    WORK_POSTS.labels(outcome.value).inc()
    if outcome is Outcome.TURNED_BACK:
        raise WorkNeeded(
            "现在提交的人很多，需要您的设备先做一点计算（或稍等片刻）再提交；没有保存任何内容，有人身危险请直接拨打 110。 "
            "Many reports are coming in: your device must do a little work first, or wait a moment. Nothing was kept. "
            "If somebody is in danger, call 110.",
            code="work-needed",
            headers={"retry-after": str(settings.work_wait_s)},
            work=work_out(door, settings, asked=True),
        )
    return outcome


async def flag_unproven(service: Service, tip_id: UUID) -> None:
    """Note for officers that a tip came unproven under load; the tip stands, whatever becomes of the note."""
    async with db.begin(service.engine) as conn:
        await conn.execute(insert(tip_flags).values(tip_id=tip_id, flag="unproven", at=clock.now()))
