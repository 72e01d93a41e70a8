"""Composition root of casework: `python -m services.casework.main`."""

from fastapi import FastAPI

from services.casework import api, consumers, jobs, pages
from services.casework.api.downline import largest_import
from services.casework.api.evidence_moves import published
from services.casework.commands import Basis
from services.casework.commands.documents import Desk, DocumentRoom
from services.casework.commands.downline.explained import Explained
from services.casework.commands.evidence import EvidenceRoom
from services.casework.commands.evidence.requests import is_upload
from services.casework.queries import Presenter
from services.casework.queries.documents_present import DocumentPresenter
from services.casework.queries.evidence_present import EvidencePresenter
from services.casework.queries.operations_present import OperationPresenter
from services.casework.queries.people import People
from services.casework.queries.proceedings_present import ProceedingPresenter
from services.casework.settings import Settings
from services.casework.tables import kit
from shared.kit.service import Service, serve
from shared.kit.web import create_app
from shared.web.render import error_page, mount_static


def build(settings: Settings) -> FastAPI:
    """The app with its tasks; nothing runs before its lifespan starts."""
    service = Service(settings, kit)
    basis = Basis.of(service)
    present = Presenter(service.plans, service.law, settings)
    handlers = consumers.handlers(basis)
    service.consume(consumers.NORMAL_TOPICS, handlers)
    service.consume(consumers.URGENT_TOPICS, handlers, lane="urgent")
    service.consume(consumers.HANDOVER_TOPICS, handlers, lane="handover")
    service.consume_directory()
    service.job("missed", 1, lambda: jobs.mark_missed(service))
    service.job("missed in proceedings", 1, lambda: jobs.mark_proceedings_missed(service, basis))
    service.job("major cases", 20, lambda: jobs.note_downlines(service, basis))
    service.job("operations at their hour", 1, lambda: jobs.release_operations(service))
    service.job("overdue records", 60, lambda: jobs.mark_records(service, basis))
    service.job("publications", 600, lambda: jobs.end_publications(service, basis))
    service.job("gauges", 15, lambda: jobs.measure(service))
    room = EvidenceRoom(service, basis)
    service.job("evidence", 60, lambda: jobs.tend_evidence(room))
    service.job("evidence.sweep", 1800, lambda: jobs.sweep_evidence(room))
    service.job("downlines", 2, lambda: jobs.evaluate_downlines(service))
    desk = Desk.of(basis, settings)
    app = create_app(
        settings,
        title="Dachuan casework (打传·办案)",
        routers=[api.router, published, pages.router],
        health=service.health,
        error_page=error_page,
        lifespan=service.lifespan,
        larger_bodies=lambda path: room.largest_body if is_upload(path) else largest_import(path),
        state={
            "service": service,
            "authenticator": service.authenticator,
            "basis": basis,
            "present": present,
            "evidence": room,
            "evidence_present": EvidencePresenter(
                settings.keys, service.law, basis.address, settings.most_copied_bytes
            ),
            "operations": OperationPresenter(present, basis.procedures, settings.keys, basis.address),
            "people": People(settings),
            "downline": Explained(service),
            "documents": DocumentRoom(service, desk, DocumentPresenter(desk.catalogue, basis.law, basis.address)),
            "proceedings": ProceedingPresenter(present, basis.procedures, settings.keys, basis.address, basis.titles),
        },
    )
    mount_static(app)
    return app


if __name__ == "__main__":
    settings = Settings()  # type: ignore[call-arg]
    serve(build(settings), settings)
