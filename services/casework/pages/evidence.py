"""Pages of evidence: the room of a case, an item with its custody chain, handing over, packages. All work without scripts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, StringConstraints, TypeAdapter

from services.casework.commands.evidence import exports, items, keeping, reading
from services.casework.commands.evidence.requests import changed, full_item, present, receive, room_of
from services.casework.commands.evidence.room import claim_of, no_case, no_item
from services.casework.domain.evidence import EXPORT_REASONS, KINDS, PURPOSES, READ_REASONS, TRACKS, bases
from services.casework.queries import evidence as queries
from services.casework.queries.cases import get_case
from services.casework.schemas.evidence import (
    DecisionIn,
    DestructionIn,
    EvidenceIn,
    ExportIn,
    MoveIn,
    OriginalIn,
    ReturnIn,
)
from services.casework.tables import kit
from shared.kit import audit, clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.clock import CHINA
from shared.kit.files.answers import download
from shared.kit.files.kinds import TAKEN
from shared.kit.ids import new_id
from shared.web.forms import Form, VersionedForm, read_form, see_other
from shared.web.render import page

router = APIRouter()

A_PAGE = 100
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]


def local(moment: str) -> datetime | str:
    """What a browser's field for a day and time says, in China's time; what cannot be read is left to the body's check."""
    try:
        return datetime.fromisoformat(moment).replace(tzinfo=CHINA)
    except ValueError:
        return moment


@router.get("/cases/{case_id}/evidence")
async def room(
    request: Request,
    case_id: UUID,
    caller: Caller = Depends(Requires("evidence.read")),
    cursor: str | None = Query(None, max_length=300),
) -> HTMLResponse:
    """The evidence room (证据室) of a case: items, what changes hands, what left; forms for what the caller may do."""
    after = pagination.decode(cursor, (int,))
    async with db.begin(room_of(request).service.engine) as conn:
        case = await get_case(conn, caller, case_id)
        rows = await queries.list_items(conn, caller, case_id, after=after[0] if after else 0, limit=A_PAGE)
        if case is None and not rows:
            raise no_case()
        handed = await queries.handovers_of(conn, caller, case_id)
        made = await queries.exports_of(conn, caller, case_id) if caller.reach("evidence.export") else []
        some, following = pagination.page(rows, A_PAGE, lambda row: (row.number,))
        await audit.record(conn, kit, caller, "evidence.list", "evidence", [row.id for row in some], clock.now())
    show = present(request)
    plan_id = case.case.plan if case else rows[0].case_plan
    plan = room_of(request).basis.plan(plan_id)
    return page(
        request,
        "evidence_room.html",
        {
            "case_id": case_id,
            "number": case.case.number if case else rows[0].case_number,
            "plan": plan_id,
            "items": [show.item_out(row) for row in some],
            "next": following,
            "handovers": [show.handover_out(row, ()) for row in handed],
            "exports": [show.export_out(row, case_id) for row in made],
            "kinds": KINDS,
            "tracks": TRACKS if caller.reach("criminal.read") else TRACKS[:1],
            "bases": [one for one in bases().values() if caller.reach("criminal.read") or "administrative" in one.tracks],
            "purposes": PURPOSES,
            "reasons": EXPORT_REASONS,
            "agencies": [one for one in plan.agencies if one.kind in ("police", "commerce", "food_drug", "procuratorate", "court")],
            "agency": caller.agency,
            "now": clock.now().astimezone(CHINA).strftime("%Y-%m-%dT%H:%M"),
        },
        service="casework",
        caller=caller,
    )


class RegisterForm(Form):
    """The form of an item; two officers have lines of their own, more go into `more_officers`, one a line."""

    kind: str
    track: str = "administrative"
    basis: str
    title: Text
    description: Text = ""
    features: Text = ""
    quantity: int = 1
    measure: Text = "件"
    collected_at: str
    collected_where: Text
    owner: Text = ""
    kept_where: Text
    officer1_number: Text = ""
    officer1_name: Text = ""
    officer2_number: Text = ""
    officer2_name: Text = ""
    more_officers: Text = ""

    def body(self) -> EvidenceIn:
        """What the API takes. Raises ValidationError."""
        officers = [
            {"number": self.officer1_number, "name": self.officer1_name},
            {"number": self.officer2_number, "name": self.officer2_name},
        ]
        for line in self.more_officers.splitlines():
            number, _, name = line.strip().partition(" ")
            officers.append({"number": number, "name": name})
        told = self.model_dump(
            exclude={
                "idempotency_key", "officer1_number", "officer1_name", "officer2_number", "officer2_name", "more_officers",
                "collected_at",
            }
        )  # fmt: skip
        named = [one for one in officers if one["number"] or one["name"]]
        return EvidenceIn.model_validate(told | {"officers": named, "collected_at": local(self.collected_at)})


@router.post("/cases/{case_id}/evidence")
async def register(request: Request, case_id: UUID, caller: Caller = Depends(Requires("evidence.manage"))) -> Response:
    """Register an item and go on to its page, where files are added."""
    sent = await read_form(request, RegisterForm)
    room, body = room_of(request), sent.body()
    asked = case_id.bytes + body.model_dump_json().encode()
    claim = claim_of(room, caller, "evidence.register", str(sent.idempotency_key), asked, new_id())
    async with db.begin(room.service.engine) as conn:
        made = await items.register(conn, room, caller, case_id, body, claim, clock.now())
    return see_other(request, f"/evidence/{made}", done="saved")


class ExportForm(Form):
    """What goes into a package, and for what."""

    items: list[UUID]
    reason: str
    note: Text = ""


@router.post("/cases/{case_id}/evidence/exports")
async def export(request: Request, case_id: UUID, caller: Caller = Depends(Requires("evidence.export"))) -> Response:
    """Make a package; the room shows it with its download."""
    sent = await read_form(request, ExportForm)
    body = ExportIn.model_validate(sent.model_dump(exclude={"idempotency_key"}))
    room = room_of(request)
    asked = case_id.bytes + body.model_dump_json().encode()
    claim = claim_of(room, caller, "evidence.export", str(sent.idempotency_key), asked, new_id())
    async with db.begin(room.service.engine) as conn:
        await exports.make(conn, room, caller, case_id, body, claim, clock.now())
    return see_other(request, f"/cases/{case_id}/evidence", done="saved")


@router.get("/evidence/exports/{export_id}/package")
async def package(request: Request, export_id: UUID, caller: Caller = Depends(Requires("evidence.export"))) -> Response:
    """The ZIP; recorded in each item's chain first."""
    room = room_of(request)
    parcel = await exports.take_away(room, caller, export_id)
    return download(exports.stream(room, parcel), "application/zip", None, f"evidence-{export_id}.zip")


@router.get("/evidence/{item_id}")
async def item(request: Request, item_id: UUID, caller: Caller = Depends(Requires("evidence.read"))) -> HTMLResponse:
    """One item: what it is, its files and working copies, what can be done, and its custody chain as a line of time."""
    async with db.begin(room_of(request).service.engine) as conn:
        full = await full_item(request, conn, caller, item_id)
        row = await queries.item(conn, caller, item_id)
        if row is None:
            raise no_item()
        lines = await queries.chain_of(conn, [item_id])
        await audit.record(conn, kit, caller, "evidence.read", "evidence", [item_id], clock.now())
    return page(
        request,
        "evidence_item.html",
        {
            "item": full,
            "plan": row.case_plan,
            "proposed_by_me": row.proposed_by == caller.actor,
            "chain": present(request).custody_out(row, lines),
            "reasons": READ_REASONS,
            "largest_mb": room_of(request).settings.most_evidence_file_bytes >> 20,
        },
        service="casework",
        caller=caller,
    )


@router.post("/evidence/{item_id}/files")
async def add_file(request: Request, item_id: UUID, caller: Caller = Depends(Requires("evidence.manage"))) -> Response:
    """The first file of the form, for a browser without scripts; with them each goes to the API with its progress."""
    await receive(request, caller, item_id)
    return see_other(request, f"/evidence/{item_id}", done="saved")


class OwnForm(Form):
    """A button alone."""


@router.post("/evidence/{item_id}/files/{file_id}/copies")
async def make_copy(
    request: Request, item_id: UUID, file_id: UUID, caller: Caller = Depends(Requires("evidence.read"))
) -> Response:
    """Make a working copy; the item's page shows it."""
    sent = await read_form(request, OwnForm)
    await reading.make_copy(room_of(request), caller, item_id, file_id, str(sent.idempotency_key))
    return see_other(request, f"/evidence/{item_id}", done="saved")


@router.get("/evidence/{item_id}/copies/{copy_id}")
async def open_copy(
    request: Request, item_id: UUID, copy_id: UUID, caller: Caller = Depends(Requires("evidence.read"))
) -> Response:
    """A working copy; that it was read is recorded first."""
    row, chunks = await reading.open_copy(room_of(request), caller, item_id, copy_id)
    return download(chunks, row.media_type, row.size, f"{row.mark}.{TAKEN[row.media_type].ending}")


class OriginalForm(Form):
    """Why an original is opened."""

    reason: str = ""


@router.post("/evidence/{item_id}/files/{file_id}/original")
async def open_original(
    request: Request, item_id: UUID, file_id: UUID, caller: Caller = Depends(Requires("evidence.original"))
) -> Response:
    """The original, for a reason; recorded first."""
    sent = await read_form(request, OriginalForm)
    body = OriginalIn.model_validate({"reason": sent.reason})
    row, chunks = await reading.open_original(room_of(request), caller, item_id, file_id, body.reason)
    ending = TAKEN[row.media_type].ending if row.media_type in TAKEN else "bin"
    return download(chunks, "application/octet-stream", row.size, f"original-{row.number:03d}.{ending}")


class KeepingForm(VersionedForm):
    """The fields of what is done with an item; each step takes its own."""

    kept_where: Text = ""
    note: Text = ""
    receiver: Text = ""
    reason: Text = ""
    files: bool = False
    approve: bool = False


async def _keep(
    request: Request, caller: Caller, item_id: UUID, operation: str, change: Any, model: type[BaseModel]
) -> Response:
    sent = await read_form(request, KeepingForm)
    told: Mapping[str, Any] = sent.model_dump(include=set(model.model_fields))
    body = TypeAdapter(model).validate_python(told)
    await changed(request, caller, operation, change, item_id, sent.version, body, str(sent.idempotency_key))
    return see_other(request, f"/evidence/{item_id}", done="saved")


@router.post("/evidence/{item_id}/move")
async def move(request: Request, item_id: UUID, caller: Caller = Depends(Requires("evidence.manage"))) -> Response:
    """Keep it elsewhere."""
    return await _keep(request, caller, item_id, "evidence.move", keeping.move, MoveIn)


@router.post("/evidence/{item_id}/return")
async def give_back(request: Request, item_id: UUID, caller: Caller = Depends(Requires("evidence.manage"))) -> Response:
    """Give it back."""
    return await _keep(request, caller, item_id, "evidence.return", keeping.give_back, ReturnIn)


@router.post("/evidence/{item_id}/destruction")
async def propose(request: Request, item_id: UUID, caller: Caller = Depends(Requires("evidence.manage"))) -> Response:
    """Propose to destroy it."""
    return await _keep(request, caller, item_id, "evidence.destruction", keeping.propose_destruction, DestructionIn)


@router.post("/evidence/{item_id}/destruction/decision")
async def decide(request: Request, item_id: UUID, caller: Caller = Depends(Requires("evidence.destroy"))) -> Response:
    """Approve or refuse its destruction."""
    return await _keep(request, caller, item_id, "evidence.decision", keeping.decide_destruction, DecisionIn)
