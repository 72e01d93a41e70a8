"""Gauges of notify."""

from sqlalchemy import func, select

from services.notify import metrics
from services.notify.domain.notices import State
from services.notify.queries.webhooks import circuits
from services.notify.tables import deliveries, notices
from shared.kit import clock, db
from shared.kit.service import Service


async def measure(service: Service) -> None:
    """Set the gauges, counting up to 100,000."""
    now = clock.now()
    async with db.begin(service.engine) as conn:
        for late, condition in (("yes", notices.c.due < now), ("no", (notices.c.due >= now) | notices.c.due.is_(None))):
            some = select(notices.c.id).where(notices.c.state == State.WAITING.value, condition).limit(100_000)
            count = (await conn.execute(select(func.count()).select_from(some.subquery()))).scalar_one()
            metrics.NOTICES_OPEN.labels(late).set(count)
        some = select(deliveries.c.id).where(deliveries.c.state == "retrying").limit(100_000)
        metrics.DELIVERIES_WAITING.set(
            (await conn.execute(select(func.count()).select_from(some.subquery()))).scalar_one()
        )
        for circuit, count in (await circuits(conn, now)).items():
            metrics.TARGETS.labels(circuit.value).set(count)
