"""What the routes of publicity share."""

from typing import Annotated, Any

from fastapi import Header, Response

from shared.kit.etag import etag

Key = Annotated[str | None, Header(alias="idempotency-key", description="The same key again has its effect once")]

REFUSED: dict[int | str, dict[str, Any]] = {
    403: {"description": "Not the caller's to do"},
    404: {"description": "Not within reach"},
    409: {"description": "Not possible now, or the key was used for another request"},
    422: {"description": "Fields are missing or wrong; personal data in a public text"},
}
CHANGED = REFUSED | {
    412: {"description": "It changed since it was read"},
    428: {"description": "If-Match is missing"},
}


def tagged(response: Response, version: int) -> None:
    """Tell the version that was answered."""
    response.headers["etag"] = etag(version)
