"""Answers that did not change since they were last read are not sent again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, cast

from tollkeeper.domain.url_safe import to_url_safe
from tollkeeper.edge.routes import ROUTES

# What an answer without a body still says.
KEPT = frozenset({"etag", "cache-control", "x-credits-available"})
MOST_TAGS = 20
LONGEST_HEADER = 1_000
# The moment of reading: it alone makes no other answer, and the tag is a weak one then.
READ_AT = re.compile(r'"updated_at":"[^"]*"')


def is_marked(route_key: str) -> bool:
    """The route's answers have an ETag."""
    return route_key.startswith("GET ") and route_key in ROUTES and ROUTES[route_key].is_own


def mark_answer(event: Mapping[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with an ETag of its body; 304 without the body where the request has that ETag.

    Only what an account's own user reads as JSON has one. Why: a page asks again and again.
    """
    headers = cast("dict[str, str]", answer.get("headers") or {})
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    is_read = is_marked(str(event.get("routeKey", "")))
    if not is_read or answer.get("statusCode") != 200 or kind != "application/json":
        return answer
    body, moments = READ_AT.subn("", str(answer.get("body", "")))
    tag = f'"{to_url_safe(hashlib.sha256(body.encode()).digest()[:16])}"'
    headers = {**headers, "ETag": f"W/{tag}" if moments else tag}
    sent: Mapping[str, Any] = event.get("headers") or {}
    known = next((str(v) for name, v in sent.items() if name.lower() == "if-none-match"), "")
    if not is_known(tag, known):
        return {**answer, "headers": headers}
    kept = {name: value for name, value in headers.items() if name.lower() in KEPT}
    return {**answer, "statusCode": 304, "headers": kept, "body": ""}


def is_known(tag: str, header: str) -> bool:
    """The If-None-Match header names the tag, which is strong; a weak form of it counts.

    Source: RFC 9110, 13.1.2.
    """
    named = header[:LONGEST_HEADER].split(",")[:MOST_TAGS]
    tags = [each.strip().removeprefix("W/") for each in named]
    return tag in tags or tags == ["*"]
