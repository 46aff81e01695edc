"""Refusals of Tollkeeper and of the gateway before it, as typed errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import cast

from tollkeeper_client import errors
from tollkeeper_client.amounts import read_json
from tollkeeper_client.errors import ApiError, UnreadableAnswerError

UNAVAILABLE = frozenset({502, 503, 504})
RETRIED = UNAVAILABLE | {429}
LONGEST_DETAIL = 300

_BY_STATUS: dict[int, type[ApiError]] = {
    400: errors.MalformedError,
    401: errors.UnauthorizedError,
    402: errors.InsufficientCreditsError,
    403: errors.ForbiddenError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    413: errors.TooLargeError,
    422: errors.InvalidRequestError,
    429: errors.ThrottledError,
}
# What API Gateway says in words alone.
_CODE_BY_STATUS = {
    400: "malformed",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    413: "too_large",
    429: "throttled",
    500: "internal",
    503: "busy",
}


def _classes(root: type[ApiError]) -> Iterator[type[ApiError]]:
    yield root
    for each in root.__subclasses__():
        yield from _classes(each)


_BY_CODE = {each.CODE: each for each in _classes(ApiError) if each.CODE}


def read_problem(
    status: int, headers: Mapping[str, str], body: bytes, *, now: datetime
) -> ApiError:
    """The refusal as an error: problem+json, `{"message": ...}`, or whatever else came.

    Why: a code that this version does not know still has its status; 402 stays a 402.
    """
    members = _read_members(body)
    code = members.get("code")
    if not isinstance(code, str):
        code = _CODE_BY_STATUS.get(status, f"http_{status}")
    kind = _kind(status, code)
    request_id = members.get("request_id") or headers.get("apigw-requestid")
    return kind(
        status=status,
        code=code,
        detail=_read_detail(members, body),
        request_id=str(request_id) if request_id else None,
        retry_after_s=read_retry_after(headers.get("retry-after"), now=now),
        members=members,
    )


def _kind(status: int, code: str) -> type[ApiError]:
    if status in UNAVAILABLE:
        return errors.BusyError
    fallback = errors.ServerError if status >= 500 else ApiError
    by_status = _BY_STATUS.get(status, fallback)
    by_code = _BY_CODE.get(code)
    # A code never changes what the status said: a proxy's 401 is no shortage of credits.
    return by_code if by_code is not None and issubclass(by_code, by_status) else by_status


def _read_members(body: bytes) -> Mapping[str, object]:
    try:
        value = read_json(body)
    except UnreadableAnswerError:
        return {}
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def _read_detail(members: Mapping[str, object], body: bytes) -> str:
    for name in ("detail", "message", "title"):
        if isinstance(members.get(name), str):
            return str(members[name])
    return body.decode("utf-8", "replace")[:LONGEST_DETAIL]


def read_retry_after(text: str | None, *, now: datetime) -> float | None:
    """How long to wait, from seconds or a date; None where nothing of use is said."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (moment.astimezone(UTC) - now).total_seconds())
