"""What a citizen sees: the form, the receipt, and how the tip stands. Nobody is known here; no cookie is read or set."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError

from services.intake import queries
from services.intake.commands import tips as commands
from services.intake.schemas.tips import PublicTipIn
from shared.kit.access import ANONYMOUS, Public
from shared.kit.ids import new_id
from shared.kit.problem import Problem, invalid_input
from shared.kit.service import Service
from shared.web.forms import Form, read_form
from shared.web.i18n import N_
from shared.web.render import page, told

router = APIRouter()

_ANYONE = Public("anyone may report, 禁止传销条例 art. 6; nobody is asked who they are")
_BY_RECEIPT = Public("the receipt is the right; it is never part of an address")

SIGNS: Mapping[str, tuple[str, str]] = {
    "held": (N_("Somebody is not free to leave"), "有人被限制人身自由，不让离开"),
    "fee": (N_("You must pay or buy something to join"), "要先交钱或买产品才能加入"),
    "heads": (N_("Money comes from bringing in new people"), "靠发展下线、拉人头拿钱"),
    "downline": (N_("Pay rises with what those below you sell"), "按下线的业绩层层拿提成"),
    "lessons": (N_("Daily lessons or meetings about getting rich"), "天天上课、聚会，讲成功学"),
    "lured": (N_("Brought here by a job offer or a date"), "以介绍工作、谈朋友为名骗来"),
    "online": (N_("By chat groups or an app"), "通过微信群、手机软件发展会员"),
    "health": (N_("Health products or cosmetics are sold"), "卖保健品、化妆品"),
}
"""What can be ticked: as the page asks it, and as it is added to the tip's words, where the reading finds it."""


class ReportForm(Form):
    """The form as sent; what a tip needs is checked when it becomes one, so that nothing typed is lost."""

    text: str = ""
    where: str = ""
    place: str = ""
    signs: tuple[str, ...] = ()


class ReceiptForm(Form):
    """A typed receipt."""

    receipt: str = ""


@router.get("/", dependencies=[Depends(_ANYONE)])
async def start(request: Request) -> RedirectResponse:
    """Citizens who come to the service itself find the form."""
    return RedirectResponse(f"{request.app.state.settings.root_path}/report", status_code=303)


@router.get("/report", dependencies=[Depends(_ANYONE)])
async def form(request: Request, plan: str = "", area: str = "") -> HTMLResponse:
    """The form; a poster's code may name the plan and the area."""
    return _form(request, where=f"{plan}/{area}" if plan else "")


@router.post("/report", dependencies=[Depends(_ANYONE)])
async def send(request: Request) -> HTMLResponse:
    """Record the tip and show its receipt, once. What went wrong is said above the form, with all that was typed."""
    service: Service = request.app.state.service
    sent = await read_form(request, ReportForm)
    try:
        body = _tip(service, sent)
        draft = commands.draft_tip(
            service, ANONYMOUS, body, plan=commands.plan_of(service, body.plan), channel="web",
            key=str(sent.idempotency_key),
        )  # fmt: skip
        taken = await commands.submit(request.app.state.tips, draft)
    except ValidationError as error:
        return _form(request, sent, problem=invalid_input(error))
    except Problem as problem:
        return _form(request, sent, problem=problem)
    return page(
        request,
        "report_done.html",
        {
            "receipt": taken.receipt,
            "next": queries.next_words(service, taken.row),
            "urgent": taken.row["urgent"],
            "referred": taken.row["state"] == "referred",
            "received_at": taken.row["received_at"],
            "key": str(new_id()),
        },
        service="intake",
        public=True,
    )


def _tip(service: Service, sent: ReportForm) -> PublicTipIn:
    plan, _, area = sent.where.partition("/")
    if not plan and len(service.plans) == 1:
        plan = next(iter(service.plans))
    ticked = "；".join(SIGNS[sign][1] for sign in sent.signs if sign in SIGNS)
    text = f"{sent.text}\n（举报人勾选：{ticked}）" if ticked else sent.text
    return PublicTipIn.model_validate(
        {"plan": plan, "text": text if sent.text else "", "area": area or None, "place": sent.place or None}
    )


def _form(
    request: Request, sent: ReportForm | None = None, *, where: str = "", problem: Problem | None = None
) -> HTMLResponse:
    plans = request.app.state.service.plans
    return page(
        request,
        "report.html",
        {
            "plans": [plans[name] for name in sorted(plans)],
            "text": sent.text if sent else "",
            "where": sent.where if sent else where,
            "place": sent.place if sent else "",
            "ticked": sent.signs if sent else [],
            "signs": [(code, words) for code, (words, _) in SIGNS.items()],
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


@router.get("/receipt", dependencies=[Depends(_BY_RECEIPT)])
async def ask(request: Request) -> HTMLResponse:
    """Where a receipt is typed; it is sent in the body, never in an address."""
    return _receipt_page(request)


@router.post("/receipt", dependencies=[Depends(_BY_RECEIPT)])
async def follow(request: Request) -> HTMLResponse:
    """How the tip stands, in plain words."""
    service: Service = request.app.state.service
    sent = await read_form(request, ReceiptForm)
    try:
        row = await queries.tip_by_receipt(service, request.app.state.receipt_misses, sent.receipt)
    except Problem as problem:
        return _receipt_page(request, problem=problem, typed=sent.receipt if problem.status == 422 else "")
    return _receipt_page(request, row=row._mapping)


def _receipt_page(
    request: Request, *, row: Mapping[Any, Any] | None = None, problem: Problem | None = None, typed: str = ""
) -> HTMLResponse:
    service: Service = request.app.state.service
    return page(
        request,
        "receipt.html",
        {
            "tip": row,
            "next": queries.next_words(service, row) if row else None,
            "problem": told(request, problem) if problem else None,
            "typed": typed,
            "key": str(new_id()),
        },
        service="intake",
        public=True,
        status=int(problem.status) if problem else 200,
    )
