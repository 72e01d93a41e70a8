"""Composition root of notify: `python -m services.notify.main`, and `… seed-demo` for the local mode."""

import asyncio
import sys

from fastapi import FastAPI

from services.notify import consumers, jobs
from services.notify.commands import demo
from services.notify.commands.publicity.parts import PublicityRoom
from services.notify.commands.reports.room import Room
from services.notify.commands.telling import Desk
from services.notify.queries.duties_present import DutyPresenter
from services.notify.settings import Settings
from services.notify.tables import kit
from shared.kit import clock, db, logs
from shared.kit.problem import Problem
from shared.kit.service import Service, serve
from shared.kit.web import create_app
from shared.web.render import error_page, mount_static


def build(settings: Settings) -> FastAPI:
    """The app with its tasks; nothing runs before its lifespan starts."""
    # seed-demo does without these, and starts the sooner
    from services.notify import api, pages
    from services.notify.adapters.oidc import Provider

    service = Service(settings, kit)
    told = consumers.handlers(service)
    service.consume([consumers.CASE_TOPIC], told)
    service.consume([consumers.URGENT_TOPIC], told, lane="urgent")
    service.consume([consumers.HANDOVER_TOPIC], told, lane="handover")
    service.consume(consumers.MATTER_TOPICS, told, lane="matter")
    service.job("ladder", 5, lambda: jobs.climb(service))
    service.job("reminders", 5, lambda: jobs.remind(service))
    service.job("digests", 30, lambda: jobs.digests(service))
    service.job("rings", 1, lambda: jobs.ring(service))
    deliverer = jobs.Deliverer(service, settings, service.health.component("deliveries", 30, required=False))
    service.task("deliveries", deliverer.run)
    service.job("deliveries.old", 60, lambda: jobs.give_up(service))
    room = Room.of(service, settings)
    service.job("reports.calendar", 600, lambda: jobs.follow_plans(room))
    service.job("reports.due", 20, lambda: jobs.remind_and_mark(room))
    desk = Desk.of(service)
    service.job("duties", 300, lambda: jobs.set_duties(desk))
    service.job("duties.missed", 10, lambda: jobs.miss_duties(desk))
    publicity = PublicityRoom(service)
    service.job("campaigns", 600, lambda: jobs.schedule_campaigns(publicity))
    service.job("campaigns.missed", 20, lambda: jobs.miss_campaigns(publicity))
    service.job("campaigns.soon", 300, lambda: jobs.remind_of_campaigns(publicity))
    service.job("files.sweep", 3600, lambda: jobs.sweep_files(publicity))
    service.job("gauges", 30, lambda: jobs.measure(service))
    app = create_app(
        settings,
        title="Dachuan notify (打传·通知)",
        routers=[*api.routers, *pages.routers],
        health=service.health,
        error_page=error_page,
        lifespan=service.lifespan,
        larger_bodies=lambda path: publicity.largest_body if path.endswith("/files") else None,
        state={"service": service, "publicity": publicity, "reports": room, "authenticator": service.authenticator, "oidc": Provider(settings), "duty_desk": desk, "present_duties": DutyPresenter(desk)},
    )
    mount_static(app)
    return app


def seed_demo(settings: Settings, listed: bytes) -> int:
    """Make the demo accounts read from standard input; an exit code."""
    logs.configure(settings.service, "WARNING")

    async def work() -> tuple[int, int]:
        service = Service(settings, kit)
        try:
            async with db.begin(service.engine) as conn:
                return await demo.seed(conn, service, demo.DemoList.model_validate_json(listed), clock.now())
        finally:
            await service.engine.dispose()

    try:
        made, changed = asyncio.run(work())
    except (demo.NotLocalError, ValueError, Problem) as error:
        sys.stderr.write(f"seed-demo: {getattr(error, 'detail', None) or error}\n")
        return 2
    sys.stdout.write(f"{made} made, {changed} changed\n")
    return 0


if __name__ == "__main__":
    settings = Settings()  # type: ignore[call-arg]
    if sys.argv[1:] == ["seed-demo"]:
        raise SystemExit(seed_demo(settings, sys.stdin.buffer.read()))
    serve(build(settings), settings)
