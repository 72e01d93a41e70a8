"""Composition root of intake: `python -m services.intake.main`."""

from fastapi import FastAPI

from services.intake import api, jobs, pages
from services.intake.commands.tips import receive_tips
from services.intake.domain.receipts import MissLimit
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
    service.consume_directory()
    app = create_app(
        settings,
        title="Dachuan intake (打传·受理)",
        routers=[api.router, pages.router],
        health=service.health,
        error_page=error_page,
        lifespan=service.lifespan,
        state={
            "service": service,
            "authenticator": service.authenticator,
            "tips": committer,
            "receipt_misses": MissLimit(settings.receipt_misses_a_minute),
        },
    )
    mount_static(app)
    return app


if __name__ == "__main__":
    settings = Settings()  # type: ignore[call-arg]
    serve(build(settings), settings)
