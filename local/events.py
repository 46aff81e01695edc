"""What a function receives: API Gateway events in payload format 2.0, schedule events.

Source: AWS, "Create AWS Lambda proxy integrations for HTTP APIs" and "Control access to HTTP
APIs with AWS Lambda authorizers"; recorded events where the text is silent: members without a
value are absent, the path is decoded, cookies leave the headers, Content-Length is always there,
`authentication` stands only in events of an API with mutual TLS.
"""

from __future__ import annotations

import base64
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote

from local.wire import Request

ACCOUNT_ID = "123456789012"
API_ID = "local"
REGION = "us-east-1"
STAGE = "$default"

# Measured on API Gateway: these and text/* reach a function as text, everything else, a missing
# Content-Type included, as base64.
_TEXT_TYPES = frozenset({"application/json", "application/xml", "application/javascript"})
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect"}
)


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request as it enters the API: the route it took, and when."""

    request: Request
    route_key: str
    path: str
    path_parameters: Mapping[str, str]
    request_id: str
    received_at: datetime


def new_request_id() -> str:
    """A request id of API Gateway's form: sixteen characters of base64."""
    return base64.b64encode(secrets.token_bytes(11)).decode()


def decoded_path(request: Request) -> str:
    """The path as routes and functions see it: percent signs decoded once."""
    return unquote(request.raw_path, errors="replace")


def proxy_event(
    received: Received, *, authorizer_context: Mapping[str, object] | None
) -> dict[str, object]:
    """The event of a Lambda proxy integration, payload format 2.0.

    Shape: `authorizer_context` is what the authorizer allowed the request with; None where the
    route has no authorizer.
    """
    event: dict[str, object] = {"version": "2.0", "routeKey": received.route_key}
    event |= _request_members(received)
    context = _request_context(received)
    if authorizer_context is not None:
        context["authorizer"] = {"lambda": dict(authorizer_context)}
    event["requestContext"] = context
    if received.path_parameters:
        event["pathParameters"] = dict(received.path_parameters)
    body = received.request.body
    text = _as_text(received.request)
    if body:
        event["body"] = base64.b64encode(body).decode() if text is None else text
    event["isBase64Encoded"] = bool(body) and text is None
    return event


def authorizer_event(received: Received, *, identity: Sequence[str]) -> dict[str, object]:
    """The event of a Lambda authorizer, payload format 2.0; it never sees the body."""
    method = received.request.method
    event: dict[str, object] = {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": (
            f"arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:{API_ID}/{STAGE}/{method}{received.path}"
        ),
        "identitySource": list(identity),
        "routeKey": received.route_key,
    }
    event |= _request_members(received)
    event["requestContext"] = _request_context(received)
    if received.path_parameters:
        event["pathParameters"] = dict(received.path_parameters)
    return event


def schedule_event(*, name: str, at: datetime) -> dict[str, object]:
    """What EventBridge Scheduler sends where a schedule has no Input of its own."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": ACCOUNT_ID,
        "time": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:scheduler:{REGION}:{ACCOUNT_ID}:schedule/default/{name}"],
        "detail": "{}",
    }


def _request_members(received: Received) -> dict[str, object]:
    request = received.request
    members: dict[str, object] = {"rawPath": received.path, "rawQueryString": request.query}
    sent = [value for name, value in request.headers if name == "cookie"]
    cookies = [cookie.strip() for value in sent for cookie in value.split(";") if cookie.strip()]
    if cookies:
        members["cookies"] = cookies
    members["headers"] = _headers(received)
    if request.query:
        members["queryStringParameters"] = _joined(parse_qsl(request.query, keep_blank_values=True))
    return members


def _headers(received: Received) -> dict[str, str]:
    request = received.request
    dropped = _HOP_BY_HOP | {"cookie"}
    headers = _joined([(name, value) for name, value in request.headers if name not in dropped])
    headers["content-length"] = str(len(request.body))
    port = (request.header("host") or "").rpartition(":")[2]
    headers["x-amzn-trace-id"] = (
        f"Root=1-{int(received.received_at.timestamp()):08x}-{secrets.token_hex(12)}"
    )
    headers["x-forwarded-for"] = ", ".join(
        part for part in (headers.get("x-forwarded-for"), request.source_ip) if part
    )
    headers["x-forwarded-port"] = port if port.isdecimal() else "80"
    headers["x-forwarded-proto"] = "http"
    return dict(sorted(headers.items()))


def _joined(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Pairs as a mapping; the values of one name stand in one text, separated by commas."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _request_context(received: Received) -> dict[str, object]:
    request = received.request
    domain = (request.header("host") or "localhost").partition(":")[0]
    return {
        "accountId": ACCOUNT_ID,
        "apiId": API_ID,
        "domainName": domain,
        "domainPrefix": domain.partition(".")[0],
        "http": {
            "method": request.method,
            "path": received.path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": request.header("user-agent") or "",
        },
        "requestId": received.request_id,
        "routeKey": received.route_key,
        "stage": STAGE,
        "time": received.received_at.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(received.received_at.timestamp() * 1000),
    }


def _as_text(request: Request) -> str | None:
    """The body as text where its type is one of text and its bytes are UTF-8; else None."""
    media_type, _, parameters = (request.header("content-type") or "").lower().partition(";")
    media_type = media_type.strip()
    if not media_type.startswith("text/") and media_type not in _TEXT_TYPES:
        return None
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "charset" and value.strip('"') not in ("utf-8", "utf8"):
            return None
    try:
        return request.body.decode()
    except UnicodeDecodeError:
        return None
