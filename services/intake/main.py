"""Composition root of intake: `python -m services.intake.main`."""

from fastapi import FastAPI

from services.intake import api, consumers, jobs, pages
from services.intake.commands.door import open_door
from services.intake.commands.evidence import Evidence
from services.intake.commands.handovers import Rules
from services.intake.commands.tips import receive_tips
from services.intake.domain.receipts import MissLimit
from services.intake.queries.trends import COUNTED_EVERY_S
from services.intake.settings import Settings
from services.intake.tables import kit
from shared.kit.committer import Committer
from shared.kit.service import Service, serve
from shared.kit.web import create_app
from shared.web.render import error_page, mount_static


def build(settings: Settings) -> FastAPI:
    """The app with its tasks; nothing runs before its lifespan starts."""
    service = Service(settings, kit)
    committer: Committer = Committer(
        service.engine, lambda conn, drafts, now: receive_tips(conn, service, drafts, now)
    )
    service.task("tips", committer.run)
    service.job("gauges", 30, lambda: jobs.measure(service))
    rules = Rules.of(service)
    service.job("handovers", 1, lambda: jobs.mark_handovers_late(rules))
    told = consumers.handlers(service)
    service.consume(consumers.NORMAL_TOPICS, told)
    service.consume(consumers.URGENT_TOPICS, told, lane="urgent")
    service.job("retention", 600, lambda: jobs.retain(service))
    service.job("funds", 60, lambda: jobs.watch_funds(service))
    evidence = Evidence(settings)
    service.job("files", 5, lambda: jobs.tend_files(service, evidence))
    service.job("files.sweep", 1800, lambda: jobs.sweep_files(service, evidence))
    service.job("patrols", 30, lambda: jobs.patrol(service))
    service.job("major", 5, lambda: jobs.watch_major_leads(rules))
    service.job("trends", COUNTED_EVERY_S, lambda: jobs.count_trends(service))
    service.job("reveals", 60, lambda: jobs.lapse_reveals(service))
    service.consume_directory()
    app = create_app(
        settings,
        title="Dachuan intake (打传·受理)",
        routers=[api.router, pages.router],
        health=service.health,
        error_page=error_page,
        lifespan=service.lifespan,
        larger_bodies=lambda path: (
            evidence.largest_body
            if path.endswith("/files")
            else settings.largest_register_file
            if path.endswith("/import")
            else None
        ),
        state={
            "service": service,
            "evidence": evidence,
            "door": open_door(settings),
            "authenticator": service.authenticator,
            "tips": committer,
            "handover_rules": rules,
            "receipt_misses": MissLimit(settings.receipt_misses_a_minute),
        },
    )
    mount_static(app)
    return app


if __name__ == "__main__":
    settings = Settings()  # type: ignore[call-arg]
    serve(build(settings), settings)
