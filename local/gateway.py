"""The stack's HTTP API on one machine: routes, authorizers and CORS of template.yaml.

Beside the API stand paths that only this gateway has: `GET /healthz`, and below `/_local/`
`POST /_local/schedules/<function>`, which runs a schedule now, and `GET /_local/items`, all that
the table holds; the events of the local bus, `GET /v1/events`; and the simulated Stripe, its pages
below `/_local/` and its API below `/_stripe/`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol, cast
from urllib.parse import parse_qsl

from local.authorizers import AuthorizerGate, Refused
from local.environments import BusyError, FunctionError
from local.events import Received, decoded_path, new_request_id, proxy_event
from local.item_pages import ITEMS_PATH, CursorError, read_page
from local.live.site import LiveSite
from local.routing import RouteTable
from local.schedules import Schedules
from local.server import Conversation
from local.template import Template
from local.wire import Answer, Request, message_answer

SCHEDULES_PATH = "/_local/schedules/"
WEBHOOK_PATH = "/v1/webhooks/stripe"

_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Invocable(Protocol):
    """A function that takes events, wherever it runs."""

    def invoke(self, event: Mapping[str, object]) -> object:
        """The function's answer. Raises: FunctionError, BusyError."""
        ...


class Site(Protocol):
    """A part of this machine with paths of its own: the event bus, the simulated Stripe."""

    def serves(self, path: str) -> bool:
        """The site answers requests for this path."""
        ...

    def respond(self, request: Request, path: str) -> Answer:
        """The site's answer."""
        ...


class Gateway:
    """Answers requests as the deployed API would, by the functions of the same template."""

    def __init__(
        self,
        template: Template,
        *,
        pools: Mapping[str, Invocable],
        schedules: Schedules,
        log: Callable[[str], None],
        is_ready: Callable[[], bool] = lambda: True,
        sites: Sequence[Site] = (),
        live: LiveSite | None = None,
    ) -> None:
        self._template = template
        self._routes = RouteTable(template.routes)
        self._pools = pools
        self.schedules = schedules
        self._log = log
        self._is_ready = is_ready
        self._live = live
        self._sites = (*sites, *([] if live is None else [live]))
        self._gates = {
            name: AuthorizerGate(authorizer, invoke=self.invoke)
            for name, authorizer in template.authorizers.items()
        }

    def invoke(self, function: str, event: Mapping[str, object]) -> object:
        """The answer of a function, named by its folder, to an event.

        Raises: FunctionError, BusyError as the function's environments do.
        """
        try:
            return self._pools[function].invoke(event)
        except FunctionError as error:
            self._log(f"{function} failed: {error}")
            raise

    def respond(self, request: Request) -> Answer:
        """The answer to one request, CORS headers included; never raises for a bad one."""
        path = decoded_path(request)
        site = next((each for each in self._sites if each.serves(path)), None)
        if site is not None or path == "/healthz" or path.startswith("/_local/"):
            return self._own(request, path, site)
        if self._is_preflight(request, path):
            return Answer(status=204, headers=self._preflight_headers(request))
        answer = self._api(request, path)
        return self._with_cors(request, answer)

    def upgrade(self, request: Request) -> Conversation | Answer | None:
        """What takes the request's connection over; None where it is no socket's address."""
        if self._live is None or not self._live.serves(decoded_path(request)):
            return None
        if not _names_this_machine(request):
            return message_answer(403)
        return self._live.upgrade(request)

    def _api(self, request: Request, path: str) -> Answer:
        match = self._routes.match(method=request.method, path=path)
        if match is None:
            return message_answer(404)
        received = Received(
            request=request,
            route_key=match.route.route_key,
            path=path,
            path_parameters=match.path_parameters,
            request_id=new_request_id(),
            received_at=datetime.now(UTC),
        )
        context: Mapping[str, object] | None = None
        if match.route.authorizer is not None:
            decision = self._gates[match.route.authorizer].decide(received)
            if isinstance(decision, Refused):
                answer = _api_error(decision.status)
                return _tagged(answer, received.request_id)
            context = decision.context
        event = proxy_event(received, authorizer_context=context)
        try:
            answer = as_answer(self.invoke(match.route.function, event))
        except FunctionError:
            answer = _api_error(500)
        except BusyError:
            answer = message_answer(503)
        return _tagged(answer, received.request_id)

    def _own(self, request: Request, path: str, site: Site | None) -> Answer:
        """The gateway's own paths, answered to programs and pages of this machine alone."""
        if path == "/healthz":
            ready = self._is_ready()
            return _json_answer(200 if ready else 503, {"status": "ok" if ready else "starting"})
        if not _names_this_machine(request):
            return message_answer(403)
        if site is not None:
            return site.respond(request, path)
        if path.startswith(SCHEDULES_PATH) and request.method == "POST":
            return self._run_schedule(path.removeprefix(SCHEDULES_PATH), request.body)
        if path == ITEMS_PATH and request.method == "GET":
            return self._read_items(request)
        return message_answer(404)

    def _read_items(self, request: Request) -> Answer:
        """A page of the local table."""
        try:
            return _json_answer(200, read_page(dict(parse_qsl(request.query)).get("after")))
        except CursorError as error:
            return message_answer(400, str(error))

    def _run_schedule(self, logical_id: str, body: bytes) -> Answer:
        """The answer of a scheduled function that runs now; a JSON object sent is its event."""
        names = {each.logical_id: each.name for each in self._template.functions.values()}
        try:
            event: object = json.loads(body) if body else None
        except ValueError:
            event = "not JSON"
        if event is not None and not isinstance(event, dict):
            return message_answer(400, "The body is empty, or the JSON object of an event.")
        try:
            answer = self.schedules.run_now(
                names.get(logical_id, ""), cast("dict[str, object] | None", event)
            )
        except KeyError:
            return message_answer(404, f"No schedule runs a function named {logical_id}.")
        except FunctionError as error:
            failure = {"errorType": error.error_type, "errorMessage": error.message}
            return _json_answer(500, failure)
        except BusyError:
            return message_answer(503)
        return _json_answer(200, answer)

    def post_webhook(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """The webhook's answer to a delivery that takes the API's own route, as Stripe's would."""
        sent = {"host": "localhost", "content-type": "application/json; charset=utf-8"}
        sent |= {name.lower(): value for name, value in headers.items()}
        answer = self.respond(
            Request(
                method="POST",
                target=WEBHOOK_PATH,
                protocol="HTTP/1.1",
                headers=tuple(sent.items()),
                body=body,
                source_ip="127.0.0.1",
            )
        )
        return answer.status, answer.body

    def _is_preflight(self, request: Request, path: str) -> bool:
        if not self._template.cors.allow_origins or request.method != "OPTIONS":
            return False
        match = self._routes.match(method="OPTIONS", path=path)
        return match is None or match.route.method == "ANY"

    def _preflight_headers(self, request: Request) -> tuple[tuple[str, str], ...]:
        cors = self._template.cors
        if request.header("access-control-request-method") is None:
            return ()
        allowed = self._origin_headers(request)
        if not allowed:
            return ()
        return (
            *allowed,
            ("Access-Control-Allow-Methods", ",".join(cors.allow_methods)),
            ("Access-Control-Allow-Headers", ",".join(cors.allow_headers)),
            ("Access-Control-Max-Age", str(cors.max_age_s)),
        )

    def _with_cors(self, request: Request, answer: Answer) -> Answer:
        cors = self._template.cors
        if not cors.allow_origins:
            return answer
        # An API with a CORS configuration drops the CORS headers that its functions send.
        kept = [
            (name, value)
            for name, value in answer.headers
            if not name.lower().startswith("access-control-")
        ]
        allowed = self._origin_headers(request)
        if allowed and cors.expose_headers:
            exposed = ("Access-Control-Expose-Headers", ",".join(cors.expose_headers))
            allowed = (*allowed, exposed)
        return Answer(status=answer.status, headers=(*kept, *allowed), body=answer.body)

    def _origin_headers(self, request: Request) -> tuple[tuple[str, str], ...]:
        origin = request.header("origin")
        origins = self._template.cors.allow_origins
        if origin is None or not ("*" in origins or origin in origins):
            return ()
        return (("Access-Control-Allow-Origin", "*" if "*" in origins else origin),)


def _names_this_machine(request: Request) -> bool:
    """Why: a page of the web can make its own name point at 127.0.0.1; the Host header tells."""
    host = (request.header("host") or "").lower()
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host) in _LOOPBACK_HOSTS


def as_answer(result: object) -> Answer:
    """A function's answer as API Gateway reads it in response format 2.0.

    Shape: a mapping with `statusCode` says everything itself; any other value is the body of a
    200 with type application/json. A mapping that is not well formed becomes a 500.
    """
    if not isinstance(result, dict) or "statusCode" not in result:
        text = result if isinstance(result, str) else json.dumps(result)
        return _text_answer(200, text)
    members = cast("dict[str, object]", result)
    status, headers, cookies = (members.get(key) for key in ("statusCode", "headers", "cookies"))
    body = members.get("body", "")
    if isinstance(status, str) and status.isdecimal():
        status = int(status)
    if type(status) is not int or not 200 <= status <= 599:
        return _api_error(500)
    text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
    try:
        encoded = bool(members.get("isBase64Encoded"))
        content = base64.b64decode(text, validate=True) if encoded else text.encode()
    except (binascii.Error, ValueError):
        return _api_error(500)
    pairs = _pairs(headers)
    if not any(name.lower() == "content-type" for name, _ in pairs) and content:
        pairs.append(("Content-Type", "text/plain;charset=UTF-8"))
    if isinstance(cookies, list):
        pairs += [("Set-Cookie", str(cookie)) for cookie in cast("list[object]", cookies)]
    return Answer(status=status, headers=tuple(pairs), body=content)


def _pairs(headers: object) -> list[tuple[str, str]]:
    """A function's headers, without those that the connection itself decides."""
    if not isinstance(headers, dict):
        return []
    decided = ("connection", "content-length", "transfer-encoding", "keep-alive")
    return [
        (name, str(value))
        for name, value in cast("dict[str, object]", headers).items()
        if name.lower() not in decided
    ]


def _tagged(answer: Answer, request_id: str) -> Answer:
    headers = (*answer.headers, ("Apigw-Requestid", request_id))
    return Answer(status=answer.status, headers=headers, body=answer.body)


def _api_error(status: int) -> Answer:
    """API Gateway's own answer; it writes the 500 in capitals of its own."""
    return message_answer(status, "Internal Server Error" if status == 500 else None)


def _json_answer(status: int, value: object) -> Answer:
    return _text_answer(status, json.dumps(value))


def _text_answer(status: int, text: str) -> Answer:
    headers = (("Content-Type", "application/json"),)
    return Answer(status=status, headers=headers, body=text.encode())
