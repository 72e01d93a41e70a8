"""What a citizen reports by: the form, its short steps, the receipt. Nobody is known here; no cookie is read or set.

Every step is a form post that carries what was told before in the page itself: nothing is kept here or on the phone
before it is sent, and a step that fails loses nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError

from services.intake import queries
from services.intake.commands import reports
from services.intake.commands import tips as commands
from services.intake.commands.reports import Contact
from services.intake.domain.questions import LONGEST_ANSWER, catalogue, parsed, statements
from services.intake.pages.door import note_unproven, wait_page
from services.intake.queries.places import picks
from services.intake.schemas.conversation import ContactIn
from services.intake.schemas.tips import PublicTipIn
from shared.kit import clock, db
from shared.kit.access import ANONYMOUS, Public
from shared.kit.ids import new_id
from shared.kit.logs import log
from shared.kit.problem import Problem, Unavailable, invalid_input
from shared.kit.service import Service
from shared.web.forms import Form, read_form
from shared.web.render import page, told

router = APIRouter()

_ANYONE = Public("anyone may report, 禁止传销条例 art. 6; nobody is asked who they are", reads_caller=False)
_NO_WORDS = "（没有另外写文字，见下面的勾选和回答。）"


class ReportForm(Form):
    """The form as sent; what a tip needs is checked when it becomes one, so that nothing typed is lost."""

    text: str = ""
    where: str = ""
    place: str = ""
    signs: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    contact_name: str = ""
    contact_phone: str = ""
    contact_address: str = ""
    step: str = ""
    go: str = "send"
    say: str = ""
    picked: str = ""
    find: str = ""
    work: str = ""

    @property
    def contact(self) -> Contact:
        return Contact(self.contact_name, self.contact_phone, self.contact_address)


@router.get("/", dependencies=[Depends(_ANYONE)])
async def start(request: Request) -> RedirectResponse:
    """Citizens who come to the service itself find the form."""
    return RedirectResponse(f"{request.app.state.settings.root_path}/report", status_code=303)


@router.get("/report", dependencies=[Depends(_ANYONE)])
async def form(request: Request, plan: str = "", area: str = "") -> HTMLResponse:
    """The form; a poster's code may name the plan and the area."""
    return _form(request, where=f"{plan}/{area}" if plan else "")


@router.get("/report/held", dependencies=[Depends(_ANYONE)])
async def held(request: Request, plan: str = "", area: str = "") -> HTMLResponse:
    """Somebody is not free to leave: 110 first, then the shortest form there is."""
    return _form(request, where=f"{plan}/{area}" if plan else "", template="report_held.html")


@router.post("/report", dependencies=[Depends(_ANYONE)])
async def send(request: Request) -> HTMLResponse:
    """Record the tip and show its receipt, once, or show another step. What went wrong is said above what was typed."""
    sent = await read_form(request, ReportForm)
    if sent.go in ("steps", "next", "skip", "back", "find", "start"):
        try:
            return await _step(request, sent)
        except Exception as error:
            return _form(request, _merged(sent), problem=_problem(error))
    sent = _merged(sent)
    if (waiting := await wait_page(request, statements(sent.signs, parsed(sent.answers)))) is not None:
        return waiting
    try:
        return await _taken(request, sent)
    except Exception as error:
        template = "report_held.html" if sent.step == "held" else "report.html"
        return _form(request, sent, problem=_problem(error), template=template)


def _problem(error: Exception) -> Problem:
    """What a citizen is told of an error; nothing that was typed is lost by it."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, ValidationError):
        return invalid_input(error)
    if not db.unavailable(error):
        log.error("report.failed", exc_info=error)
    return Unavailable("系统暂时无法保存，请稍后再按一次。 We cannot save right now; press again in a moment.")


async def _taken(request: Request, sent: ReportForm) -> HTMLResponse:
    service: Service = request.app.state.service
    contact = sent.contact
    if contact:
        ContactIn(name=contact.name, phone=contact.phone, address=contact.address)
    body = _tip(service, sent)
    draft = reports.draft_report(
        service,
        ANONYMOUS,
        body,
        plan=commands.plan_of(service, body.plan),
        channel="web",
        key=str(sent.idempotency_key),
        ticked=sent.signs,
        answers=parsed(sent.answers),
    )
    taken = await commands.submit(request.app.state.tips, draft)
    await note_unproven(request, taken.row["id"])
    kept = False
    if contact:
        async with db.begin(service.engine) as conn:
            await reports.keep_contact(conn, service, ANONYMOUS, taken.row["id"], contact, clock.now())
        kept = True
    return page(
        request,
        "report_done.html",
        {
            "receipt": taken.receipt,
            "next": queries.next_words(service, taken.row),
            "urgent": taken.row["urgent"],
            "referred": taken.row["state"] == "referred",
            "received_at": taken.row["received_at"],
            "contact_kept": kept,
            "key": str(new_id()),
        },
        service="intake",
        public=True,
    )


def _tip(service: Service, sent: ReportForm) -> PublicTipIn:
    plan, _, area = sent.where.partition("/")
    if not plan and len(service.plans) == 1:
        plan = next(iter(service.plans))
    text = sent.text or (_NO_WORDS if sent.signs or sent.answers or sent.place else "")
    return PublicTipIn.model_validate({"plan": plan, "text": text, "area": area or None, "place": sent.place or None})


def _merged(sent: ReportForm) -> ReportForm:
    """What the present step asked, joined with what was told before."""
    answers = list(sent.answers)
    if sent.say and sent.step:
        answers.append(f"{sent.step}={sent.say[:LONGEST_ANSWER]}")
    place = sent.place
    if sent.picked and sent.picked not in place:
        place = f"{sent.picked} {place}".strip()
    return sent.model_copy(
        update={"answers": tuple(answers), "place": place, "say": "", "picked": ""}
    )


async def _step(request: Request, sent: ReportForm) -> HTMLResponse:
    """The step that was asked for: places first, then the questions for what is ticked, then a contact."""
    service: Service = request.app.state.service
    asked = {question.id: question for question in catalogue().of(sent.signs)}
    order = ["where", "place", *asked, "contact"]
    at = order.index(sent.step) if sent.step in order else -1
    if sent.go != "find":
        if sent.go == "skip":
            kept = tuple(one for one in sent.answers if one.partition("=")[0] != sent.step)
            sent = sent.model_copy(update={"say": "", "picked": "", "answers": kept})
        sent = _merged(sent)
        at += -1 if sent.go == "back" else 1
    if at < 0 or sent.go == "start":
        return _form(request, sent)
    step = order[min(at, len(order) - 1)]
    plan_id, _, area = sent.where.partition("/")
    found: Sequence[Any] = ()
    if step == "place" and area and plan_id in service.plans:
        async with db.begin(service.engine) as conn:
            found = await picks(conn, service.plans[plan_id], area, sent.find)
    question = asked.get(step)
    given = parsed(sent.answers)
    return page(
        request,
        "report_step.html",
        {
            "sent": sent,
            "step": step,
            "question": question,
            "chosen": given.get(step, ()),
            "others": [one for one in _flat(given) if one.partition("=")[0] != step],
            "picks": found,
            "plans": _plans(service),
            "number": order.index(step) + 1,
            "count": len(order),
            "longest": LONGEST_ANSWER,
        },
        service="intake",
        public=True,
    )


def _flat(answers: Mapping[str, Sequence[str]]) -> list[str]:
    return [f"{asked}={said}" for asked, given in answers.items() for said in given]


def _plans(service: Service) -> list[Any]:
    return [service.plans[name] for name in sorted(service.plans)]


def _form(
    request: Request,
    sent: ReportForm | None = None,
    *,
    where: str = "",
    problem: Problem | None = None,
    template: str = "report.html",
) -> HTMLResponse:
    return page(
        request,
        template,
        {
            "plans": _plans(request.app.state.service),
            "text": sent.text if sent else "",
            "where": sent.where if sent else where,
            "place": sent.place if sent else "",
            "ticked": sent.signs if sent else [],
            "answers": _flat(parsed(sent.answers)) if sent else [],
            "contact": sent.contact if sent else Contact(),
            "kinds": catalogue().kinds,
            "key": str(sent.idempotency_key if sent else new_id()),
            "wrong": _wrong(problem),
            "problem": told(request, problem) if problem and problem.status != 422 else None,
        },
        service="intake",
        public=True,
        status=int(problem.status) if problem else 200,
    )


def _wrong(problem: Problem | None) -> Sequence[str]:
    """The fields that need another look."""
    errors: list[dict[str, Any]] = problem.extras.get("errors", []) if problem else []
    return ["where" if e["field"] in ("plan", "area") else e["field"] for e in errors]
