"""ETag and If-Match (RFC 9110 §13): two officers cannot overwrite each other unknowingly."""

from fastapi import Request

from shared.kit.problem import BadRequest, PreconditionRequired


def etag(version: int) -> str:
    """The entity tag of a version."""
    return f'"{version}"'


def required_version(request: Request) -> int:
    """The version named by If-Match; PreconditionRequired without one."""
    header = request.headers.get("if-match")
    if header is None:
        raise PreconditionRequired(
            "请先读取最新内容，再携带 If-Match 提交。 Read the latest version and send its ETag in If-Match."
        )
    try:
        return int(header.strip().removeprefix("W/").strip('"'))
    except ValueError as error:
        raise BadRequest("If-Match 无效。 If-Match is not an ETag of ours.", code="bad-etag") from error
