"""Composition root of scoring: `python -m services.scoring.main [rebuild [--check] [--replace]]`."""

from __future__ import annotations

import argparse
import asyncio
import sys

from fastapi import FastAPI

from services.scoring import api, commands, jobs, pages, queries
from services.scoring.adapters.outside import Outside
from services.scoring.commands.certificates import Desk as CertificateDesk
from services.scoring.commands.certificates import effect_of
from services.scoring.commands.checkpoints import Signer
from services.scoring.commands.consequences.basis import Basis as ConsequenceBasis
from services.scoring.commands.consequences.tools import weigher
from services.scoring.commands.findings.basis import Basis
from services.scoring.commands.findings.effects import EFFECTS
from services.scoring.commands.rulebooks.desk import Desk
from services.scoring.consumers import TOPICS, handlers
from services.scoring.consumers.rebuild import RebuildRefused, rebuild
from services.scoring.domain.rulebooks import read_shipped
from services.scoring.settings import Settings
from services.scoring.tables import kit
from shared.kit import logs
from shared.kit.service import Service, serve
from shared.kit.web import create_app
from shared.rules.plan import load_plans
from shared.web.render import error_page, mount_static


def build(settings: Settings) -> FastAPI:
    """The app with its tasks; nothing runs before its lifespan starts."""
    service = Service(settings, kit)
    shipped = read_shipped(settings.rulebooks_dir)
    books = commands.books_of(service.plans, (one for one, _ in shipped))
    basis = Basis.of(service, books)
    certificates = CertificateDesk(service, books)
    consequences = ConsequenceBasis.of(service, books)
    EFFECTS[:] = [weigher(consequences), effect_of(certificates)]
    by_type = handlers(books, basis, certificates)
    for lane, topics in TOPICS.items():
        service.consume(topics, by_type, lane=lane)
    service.consume_directory()
    pulse = queries.Pulse()
    service.job("rulebooks", 5, lambda: jobs.rulebooks(service, books, shipped))
    service.job("consequences", 60, lambda: jobs.consequences(service, consequences))
    service.job("certificates", 60, lambda: jobs.certificates(certificates))
    service.job("feed", settings.feed_pulse_s, lambda: jobs.look(service, pulse))
    store = Outside(settings.objects_dir, settings.objects_url, settings.objects_options)
    sealing = jobs.Sealing(service, Signer(settings.origin, settings.keys), store)
    service.job("checkpoints", settings.checkpoint_s, sealing.round)
    app = create_app(
        settings,
        title="Dachuan scoring (打传·考核)",
        routers=[api.router, pages.router],
        health=service.health,
        error_page=error_page,
        lifespan=service.lifespan,
        state={"service": service, "authenticator": service.authenticator, "pulse": pulse, "sealing": sealing, "books": books, "findings": basis, "certificates": certificates, "desk": Desk.of(service, books, shipped), "consequences": consequences},
    )
    mount_static(app)
    return app


async def _rebuild(settings: Settings, *, check: bool, replace: bool) -> int:
    shipped = read_shipped(settings.rulebooks_dir)
    books = commands.books_of(load_plans(settings.plans_dir, settings.plan_ids), (one for one, _ in shipped))
    try:
        report = await rebuild(settings, books, check=check, replace=replace)
    except RebuildRefused as error:
        sys.stderr.write(f"{error}\n")
        return 2
    found = report.difference
    sys.stdout.write(
        f"events {report.events} ({report.events_per_second:.0f}/s, {report.seconds:.1f} s), "
        f"unreadable {report.unreadable}\n"
        f"entries {found.entries}: missing in use {found.missing}, differing in use {found.differing}; "
        f"standings that differ {found.standings}, obligations {found.obligations}, facts {found.facts}; "
        f"added {report.added}\n"
        f"sha256 rebuilt {found.digest}\nsha256 in use  {found.digest_in_use}\n"
    )
    return 0 if found.identical or not check else 1


def run(arguments: list[str]) -> int:
    """Serve; or with `rebuild` build the ledger anew from the topics. `--check` only compares (1: they differ)."""
    parser = argparse.ArgumentParser(prog="services.scoring.main")
    rebuilding = parser.add_subparsers(dest="command").add_parser("rebuild")
    rebuilding.add_argument("--check", action="store_true", help="only compare with the ledger in use")
    rebuilding.add_argument("--replace", action="store_true", help="also replace entries in use that differ")
    chosen = parser.parse_args(arguments)
    settings = Settings()  # type: ignore[call-arg]
    if chosen.command == "rebuild":
        logs.configure(settings.service, "WARNING")
        return asyncio.run(_rebuild(settings, check=chosen.check, replace=chosen.replace))
    serve(build(settings), settings)
    return 0


if __name__ == "__main__":
    raise SystemExit(run(sys.argv[1:]))
