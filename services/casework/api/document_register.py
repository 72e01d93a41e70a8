"""The register of document numbers with its settings, and the Word templates that offices edit."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.casework.api.documents import room_of
from services.casework.schemas.documents import FirstIn, RegisterOut, StyleIn, TemplateOut
from shared.kit import pagination
from shared.kit.access import Caller, Requires
from shared.kit.problem import BadRequest, TooLarge
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["documents"])

Issuer = Annotated[str, Query(max_length=48, description="An agency's id, or `office`; the caller's own when absent")]
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@router.get("/document-numbers", response_model=RegisterOut, summary="My agency's register of document numbers")
async def register(
    request: Request,
    caller: Caller = Depends(Requires("document.register")),
    issuer: Issuer = "",
    series: str | None = Query(None, max_length=48),
    year: int | None = Query(None, ge=2000, le=2200),
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """Each series with its style, its last number and the next; then the numbers given out, newest first."""
    room = room_of(request)
    own = room.issuer_of(caller, issuer)
    return ORJSONResponse(await room.register(caller, own, series=series, year=year, cursor=cursor, limit=limit))


@router.put("/document-numbers/{series}/style", status_code=204, response_class=Response, summary="Set a style of numbers")
async def style(
    request: Request, series: str, body: StyleIn, caller: Caller = Depends(Requires("document.register")), issuer: Issuer = ""
) -> Response:
    """Numbers from now on; the register goes on counting."""
    room = room_of(request)
    await room.set_style(caller, room.issuer_of(caller, issuer), series, body.style, body.version)
    return Response(status_code=204)


@router.put("/document-numbers/{series}/first", status_code=204, response_class=Response, summary="Begin this year's numbers")
async def first(
    request: Request, series: str, body: FirstIn, caller: Caller = Depends(Requires("document.register")), issuer: Issuer = ""
) -> Response:
    """Where lower numbers were given on paper; 409 once one was given out here."""
    room = room_of(request)
    await room.set_first(caller, room.issuer_of(caller, issuer), series, body.first)
    return Response(status_code=204)


@router.get("/document-templates/{kind}", response_class=Response, summary="The Word template in use", responses={
    200: {"content": {_WORD: {}}, "description": "The template; `x-template-version` is what to send with an edited one"}
})  # fmt: skip
async def template(request: Request, kind: str, caller: Caller = Depends(Requires("document.register"))) -> Response:
    """The template of the caller's agency or office, to be edited in Word."""
    content, version = await room_of(request).template(caller, kind)
    return Response(
        content,
        media_type=_WORD,
        headers={
            "content-disposition": f'attachment; filename="{kind}.docx"',
            "x-template-version": str(version),
            "cache-control": "no-store",
        },
    )


async def read_template(request: Request) -> bytes:
    """The sent file, up to its limit. Raises `TooLarge` or `BadRequest`."""
    from services.casework.adapters.documents.templates import LARGEST

    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > LARGEST:
            raise TooLarge("模板超过 2 MB，未保存。 The template is larger than 2 MB; nothing was kept.", limit=LARGEST)
    if not content:
        raise BadRequest("没有收到文件。 No file came.", code="no-file")
    return bytes(content)


@router.put(
    "/document-templates/{kind}", response_model=TemplateOut, summary="Use an edited Word template",
    openapi_extra={"requestBody": {"required": True, "content": {_WORD: {"schema": {"type": "string", "format": "binary"}}}}},
    responses={412: {"description": "Somebody changed it meanwhile"}, 422: {"description": "`errors` lists what is wrong"}},
)  # fmt: skip
async def use_template(
    request: Request,
    kind: str,
    version: int = Query(ge=0, description="The version read; 0 for the default"),
    caller: Caller = Depends(Requires("document.register")),
) -> Response:
    """Checked, then used for what is drafted and issued from now on; what was issued keeps its own."""
    return ORJSONResponse(await room_of(request).set_template(caller, kind, await read_template(request), version))


@router.delete("/document-templates/{kind}", response_model=TemplateOut, summary="Back to the default template")
async def drop_template(
    request: Request,
    kind: str,
    version: int = Query(ge=1, description="The version read"),
    caller: Caller = Depends(Requires("document.register")),
) -> Response:
    """The default is used again; what was issued keeps its own."""
    return ORJSONResponse(await room_of(request).set_template(caller, kind, None, version))
