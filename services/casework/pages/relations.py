"""Pages of relations (关系): those stated in a case, a new one, one proved wrong; and who let a place."""

from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from services.casework.commands import dens as den_commands
from services.casework.commands import links as commands
from services.casework.pages.persons import claim
from services.casework.queries import network as networks
from services.casework.queries.cases import get_case
from services.casework.schemas.places import LandlordBody, LinkBody
from shared.kit import clock, db
from shared.kit.access import Caller, Requires
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Invalid, NotFound, Problem
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page

router = APIRouter()


class LinkForm(Form):
    """Both ends as `person:id` or `place:id`; an organisation by its name instead of the other end."""

    kind: Literal[
        "recruited_by", "relative", "lives_with", "works_for", "lives_at", "rents", "member_of", "leads", "used_by"
    ]
    one: str
    other: str = ""
    organisation: str = ""


@router.get("/cases/{case_id}/links")
async def links_page(
    request: Request, case_id: UUID, caller: Caller = Depends(Requires("person.record"))
) -> HTMLResponse:
    """The relations stated in a case, and the form for one more."""
    return await _page(request, caller, case_id)


async def _page(
    request: Request, caller: Caller, case_id: UUID, refused: Problem | None = None, typed: LinkForm | None = None
) -> HTMLResponse:
    people = request.app.state.people
    async with db.begin(request.app.state.service.engine) as conn:
        case = await get_case(conn, caller, case_id)
        if case is None:
            raise NotFound("没有这个案件，或不在您的权限内。 No such case within your reach.", code="case-not-found")
        held = await people.of_case(conn, caller, case_id, clock.now())
        stated = await networks.stated_in(conn, case_id)
    names = {one["person_id"]: one["name"] for one in held["persons"]}
    names |= {one["place_id"]: one["address"] for one in held["dens"]}
    shown = {
        "case": case.case,
        "rows": [
            {"link_id": row.id, "kind": row.kind, "one": names.get(row.from_id), "other": row.organisation or names.get(row.to_id)}
            for row in stated
        ],
        "people": dict.fromkeys((f"person:{one['person_id']}", one["name"]) for one in held["persons"]),
        "places": dict.fromkeys((f"place:{one['place_id']}", one["address"]) for one in held["dens"]),
        "kinds": tuple(commands.ALLOWED),
        "refused": refused.detail if refused else None,
        "typed": typed,
    }  # fmt: skip
    status = refused.status if refused else 200
    return page(request, "links.html", shown, service="casework", status=status, caller=caller)


def _body(form: LinkForm) -> LinkBody:
    """What the form says. Raises `Invalid` for ends that are missing or stand together wrongly."""
    from_type, to_type = commands.ALLOWED[form.kind]
    one, other = _end(form.one), _end(form.other)
    named = to_type == "organisation"
    if one is None or one[0] != from_type or (not form.organisation if named else other is None or other[0] != to_type):
        raise Invalid(
            "这种关系不连接所选的两端，未保存；请按关系选择人员、场所或填写组织名称。 "
            "This relation does not bind the ends chosen; nothing was kept. Choose them by the relation.",
            code="ends-do-not-fit",
        )
    return LinkBody(
        kind=form.kind, from_type=from_type, from_id=one[1], to_type=to_type,  # type: ignore[arg-type]
        to_id=None if named or other is None else other[1], organisation=form.organisation if named else None,
    )  # fmt: skip


def _end(chosen: str) -> tuple[str, UUID] | None:
    what, _, one = chosen.partition(":")
    try:
        return (what, UUID(one)) if one else None
    except ValueError:
        return None


@router.post("/cases/{case_id}/links")
async def state_link(
    request: Request, case_id: UUID, caller: Caller = Depends(Requires("person.record"))
) -> Response:
    """Put a relation on record; a refusal shows the form again."""
    form = await read_form(request, LinkForm)
    claimed = claim(request, caller, "link.state", form, new_id())
    try:
        body = _body(form)
        async with db.begin(request.app.state.service.engine) as conn:
            await commands.state_link(conn, caller, case_id, body, claimed, clock.now())
    except (Conflict, Invalid, Forbidden) as refused:
        return await _page(request, caller, case_id, refused, form)
    return see_other(request, f"/cases/{case_id}/links", done="saved")


class RemovalForm(Form):
    """The case to go back to."""

    case_id: UUID


@router.post("/links/{link_id}/removal")
async def remove_link(
    request: Request, link_id: UUID, caller: Caller = Depends(Requires("person.record"))
) -> Response:
    """A relation proved wrong stays on record as removed."""
    form = await read_form(request, RemovalForm)
    claimed = claim(request, caller, "link.remove", form, link_id)
    async with db.begin(request.app.state.service.engine) as conn:
        await commands.remove_link(conn, caller, link_id, claimed, clock.now())
    return see_other(request, f"/cases/{form.case_id}/links", done="saved")


class LandlordForm(VersionedForm):
    """A person of the place's cases; empty takes the entry away."""

    person_id: str = ""


@router.post("/places/{place_id}/landlord")
async def set_landlord(
    request: Request, place_id: UUID, caller: Caller = Depends(Requires("place.record"))
) -> Response:
    """Say who let the place."""
    form = await read_form(request, LandlordForm)
    body = LandlordBody(person_id=UUID(form.person_id) if form.person_id else None)
    claimed: Any = claim(request, caller, "place.landlord", form, place_id)
    async with db.begin(request.app.state.service.engine) as conn:
        await den_commands.set_landlord(
            conn, request.app.state.basis, caller, place_id, body, form.version, claimed, clock.now()
        )
    return see_other(request, f"/places/{place_id}", done="saved")
