"""Forms of pages: read into a model once, and answered by a redirect so that a reload sends nothing twice."""

from typing import TypeVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Request
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict

from shared.kit.problem import BadRequest, UnsupportedType

_KINDS = ("application/x-www-form-urlencoded", "multipart/form-data")


class Form(BaseModel):
    """Base of a form's fields. Every form made by the `form` macro carries its idempotency key; unknown fields fail."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    idempotency_key: UUID


class VersionedForm(Form):
    """A form that changes an existing object: `version` is the one its page was made from (as If-Match is for the API)."""

    version: int


F = TypeVar("F", bound=BaseModel)


async def read_form(request: Request, model: type[F]) -> F:
    """The posted form as a model: repeated fields make a list, empty ones are left out; Invalid tells wrong fields."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _KINDS:
        raise UnsupportedType("请从页面提交表单，未保存任何内容。 Send the form from its page; nothing was kept.")
    async with request.form(max_files=0, max_fields=200) as sent:
        fields: dict[str, str | list[str]] = {}
        for name in sent:
            values = [value for value in sent.getlist(name) if isinstance(value, str) and value.strip()]
            if any("\0" in value or not _encodable(value) for value in values):
                raise BadRequest(
                    "文字含有非法字符，未保存任何内容。 The text holds characters we cannot keep; nothing was kept.",
                    code="bad-text",
                )
            if values:
                listed = name in model.model_fields and _takes_many(model, name)
                fields[name] = values if listed or len(values) > 1 else values[0]
    return model.model_validate(fields)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _takes_many(model: type[BaseModel], name: str) -> bool:
    annotation = str(model.model_fields[name].annotation)
    return annotation.startswith(("list", "tuple", "set", "frozenset"))


def see_other(request: Request, path: str, *, done: str | None = None) -> RedirectResponse:
    """Go to a page of this service after a change; `done` is a code of `wording.DONE` to say what was done."""
    query = f"{'&' if '?' in path else '?'}{urlencode({'done': done})}" if done else ""
    return RedirectResponse(f"{request.app.state.settings.root_path}{path}{query}", status_code=303)
