"""A small app that shows the shared layout with every building block: the pages' own test piece."""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import FileSystemLoader
from joserfc.jwk import KeySet, OKPKey
from sqlalchemy import Column, DateTime, Integer, MetaData, String, Table

from shared.kit import clock
from shared.kit.access import SESSION_COOKIE, Caller, Public, Requires
from shared.kit.health import Health
from shared.kit.problem import Conflict
from shared.kit.settings import ServiceSettings
from shared.kit.tokens import Authenticator, Directory, issue
from shared.kit.web import create_app
from shared.rules.plan import load_plans
from shared.web.forms import VersionedForm, read_form, see_other
from shared.web.render import environment, error_page, mount_static, page

_PRINCIPALS = Table(
    "principal",
    MetaData(),
    Column("id", String),
    Column("active", Integer),
    Column("valid_from", DateTime(timezone=True)),
)


class Act(VersionedForm):
    note: str


@dataclass
class Gallery:
    """The app, and what signs its cookies."""

    app: FastAPI
    key: OKPKey

    def cookie(self, agency: str = "police", posts: tuple[str, ...] = ("head", "desk"), unit: str | None = None) -> str:
        """A session cookie of an officer."""
        return issue(
            self.key, principal_id="gallery-officer", kind="officer", plan="dayong", agency=agency, unit=unit,
            posts=posts, areas=(), scopes=(), now=clock.now(), lifetime=timedelta(hours=1),
        )  # fmt: skip


def build(folder: Path, *, local_mode: bool = True, root_path: str = "") -> Gallery:
    """The app with the real kit, plans and tokens; it needs no database."""
    key = OKPKey.generate_key("Ed25519", {"kid": "test", "alg": "Ed25519", "use": "sig"})
    jwks = folder / "jwks.json"
    jwks.write_text(json.dumps(KeySet([key]).as_dict(private=False)))
    settings = ServiceSettings(
        service="intake",
        database_url="postgresql+asyncpg://nobody@127.0.0.1:1/nothing",
        jwks_file=jwks,
        keys_file=folder / "none.json",
        local_mode=local_mode,
        root_path=root_path,
    )
    plans = load_plans(settings.plans_dir, ["dayong"])
    loader = environment("intake").loader
    loader.loaders.append(FileSystemLoader(Path(__file__).parent / "templates"))  # type: ignore[union-attr]
    app = create_app(
        settings,
        title="gallery",
        routers=[_routes()],
        health=Health(),
        error_page=error_page,
        state={
            "service": SimpleNamespace(plans=plans),
            "authenticator": Authenticator(jwks, plans, Directory(_PRINCIPALS)),
        },
    )
    mount_static(app)
    return Gallery(app, key)


def _routes() -> APIRouter:
    router = APIRouter()

    @router.get("/gallery")
    async def gallery(request: Request, caller: Caller = Depends(Requires("plan.read"))) -> HTMLResponse:
        return page(request, "gallery.html", {"now": clock.now(), "hour": timedelta(hours=1)}, service="intake")

    @router.get("/citizen", dependencies=[Depends(Public("a test page"))])
    async def citizen(request: Request) -> HTMLResponse:
        return page(request, "citizen.html", {}, service="intake", public=True)

    @router.get("/gallery/{item}", dependencies=[Depends(Public("a test page"))])
    async def one(request: Request, item: UUID) -> Response:
        return page(request, "citizen.html", {}, service="intake", public=True)

    @router.post("/act")
    async def act(request: Request, caller: Caller = Depends(Requires("plan.read"))):  # type: ignore[no-untyped-def]
        sent = await read_form(request, Act)
        if sent.version != 3:
            raise Conflict("版本已变，记录未改。 The version has moved on; the record stands.")
        return see_other(request, "/gallery", done="saved")

    @router.get("/broken", dependencies=[Depends(Public("a test page"))])
    async def broken() -> None:
        raise RuntimeError("out of order")

    return router


COOKIE = SESSION_COOKIE
