"""HTTP for one function: its own resolver, strict requests, exact answers, problems."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from re import Match
from typing import Any, TypeVar, cast

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tollkeeper.domain.entries import AccountId, EntryKey, caller_key, parse_id, read_key
from tollkeeper.domain.errors import (
    InvalidError,
    MalformedError,
    NotFoundError,
    TollkeeperError,
)
from tollkeeper.domain.money import show_micro
from tollkeeper.edge.access import (
    ME,
    NOT_ME,
    Principal,
    is_asked_by_user,
    own_account,
    read_principal,
    require_scope,
)
from tollkeeper.edge.etags import mark_answer
from tollkeeper.edge.observability import log_alarm, log_failure, log_refusal
from tollkeeper.edge.problems import REFUSALS, RETRY_AFTER_S, describe
from tollkeeper.edge.routes import ROUTES
from tollkeeper.edge.settings import read_settings
from tollkeeper.edge.wire import hash_request, read_json, write_json

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
Body = TypeVar("Body", bound=BaseModel)
Route = Callable[..., Response[str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a route answers. `balance` becomes the header X-Credits-Available."""

    body: Mapping[str, Any]
    status: int = 200
    balance: tuple[int, int] | None = None
    was_replayed: bool = False
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def to_response(self) -> Response[str]:
        """The response that Powertools sends."""
        headers = {"Cache-Control": "no-store", **self.headers}
        if self.was_replayed:
            headers["Idempotency-Replayed"] = "true"
        elif self.balance is not None:
            available, seq = self.balance
            headers["X-Credits-Available"] = f"{show_micro(available)};seq={seq}"
        return Response(self.status, JSON, write_json(self.body), headers=cast(Any, headers))


class Request:
    """One request as a route reads it."""

    def __init__(self, event: Mapping[str, Any], now: datetime) -> None:
        self.event = event
        self.now = now
        self.route_key = str(event.get("routeKey", ""))
        headers: Mapping[str, str] = event.get("headers") or {}
        self.headers = {name.lower(): value for name, value in headers.items()}
        self._path: Mapping[str, str] = event.get("pathParameters") or {}
        self._query: Mapping[str, str] = event.get("queryStringParameters") or {}

    def principal(self) -> Principal:
        """Who asks, and may call this route for the account in its path.

        Raises: UnauthorizedError, ForbiddenError, and NotFoundError for another's account.
        """
        principal = read_principal(self.event, self.now)
        require_scope(principal, self.route_key)
        if "id" in self._path:
            own_account(principal, self.path("id"))
        return principal

    def require_own(self, owner: AccountId, missing: str) -> None:
        """Nothing, where who asks may see what this account owns.

        Raises: NotFoundError in the words that say that there is no such thing; as principal.
        """
        if self.principal().account not in (None, owner):
            raise NotFoundError(missing)

    def raw_body(self) -> bytes:
        """The bytes that were sent. Raises: MalformedError."""
        body = self.event.get("body") or ""
        if not self.event.get("isBase64Encoded"):
            return str(body).encode("utf-8", "surrogatepass")
        try:
            return base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError):
            raise MalformedError("The body cannot be decoded.") from None

    def members(self) -> dict[str, Any]:
        """The body's members, exact and unique. Raises: MalformedError, TooLargeError."""
        return read_json(self.raw_body())

    def body(self, model: type[Body]) -> tuple[Body, dict[str, Any]]:
        """The body as its type, and the members that were sent, for the request's hash.

        Raises: MalformedError, TooLargeError, InvalidError with each member's reason.
        """
        members = self.members()
        if "account" in model.model_fields and ROUTES[self.route_key].is_own:
            members = self._own_members(members)
        return validate(model, members), members

    def _own_members(self, members: dict[str, Any]) -> dict[str, Any]:
        """The members with the account that they mean: a user may leave the own one out.

        Raises: NotFoundError where a user names another's; as principal.
        """
        principal = self.principal()
        named = members.get("account", ME) if principal.account else None
        if not isinstance(named, str):
            return members
        return {**members, "account": own_account(principal, named)}

    def account(self) -> AccountId:
        """The account in the path. Raises: InvalidError; as principal."""
        principal, named = self.principal(), self.path("id")
        if principal.account is None and named == ME:
            raise InvalidError("id", NOT_ME)
        return AccountId(parse_id(own_account(principal, named), "id"))

    def entry(self) -> EntryKey:
        """The entry's key in the path. Raises: InvalidError."""
        return read_key(self.path("key"))

    def hold(self) -> str:
        """The hold's id in the path. Raises: InvalidError."""
        return parse_id(self.path("hold_id"), "hold_id")

    def path(self, name: str) -> str:
        """A path parameter, decoded."""
        return self._path.get(name, "")

    def query(self, model: type[Body]) -> Body:
        """The query's members as their type. Raises: InvalidError."""
        return validate(model, dict(self._query))

    def key(self) -> EntryKey:
        """The caller's idempotency key. Raises: MalformedError where there is none.

        Why: a user's own keys are kept apart. Who takes the key of a run to come would have the
        backend's charge for it refused.
        """
        key = self.headers.get("idempotency-key")
        if not key:
            raise MalformedError("Send an Idempotency-Key header: the same key for every try.")
        if self.principal().account is None:
            return caller_key(key)
        return caller_key("user:" + hashlib.sha256(caller_key(key).encode()).hexdigest()[:32])

    def hash_of(self, account: str, members: Mapping[str, Any]) -> str:
        """The digest of what was asked, on which route, for which account and thing of it."""
        thing = self.path("key") or self.path("hold_id") or self.path("budget")
        return hash_request(f"{self.route_key} {thing}", account, members)


REASONS = {
    "missing": "is missing",
    "extra_forbidden": "is not a member of this request",
    "string_type": "must be a text",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "none_required": "must be null",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "has a character that cannot be used there",
}
MOST_PROBLEMS = 20
LONGEST_NAME = 64


def validate(model: type[Body], members: Mapping[str, Any]) -> Body:
    """The members as their type. Raises: InvalidError with each member's reason."""
    try:
        return model.model_validate(members)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[:MOST_PROBLEMS]
        problems = tuple((_show_place(problem["loc"]), _show_reason(problem)) for problem in found)
        raise InvalidError.of_many(problems) from None


def _show_place(loc: tuple[int | str, ...]) -> str:
    """The member's name, cut where the caller made up a very long one."""
    return ".".join(str(part)[:LONGEST_NAME] for part in loc) or "body"


def _show_reason(problem: ErrorDetails) -> str:
    """Why a member cannot be used, as the rest of a sentence that begins with its name."""
    if problem["type"] == "value_error":
        return problem["msg"].removeprefix("Value error, ")
    _, should, rest = problem["msg"].partition(" after validation")[0].partition(" should ")
    return REASONS.get(problem["type"]) or (f"must {rest}" if should else problem["msg"])


class RoutedEvent(APIGatewayProxyEventV2):
    """An event whose path is its route's own.

    Why: API Gateway chose the route and the scope was judged for it, so nothing in a path, an
    encoded slash or `#` in an id, may lead to another one.
    """

    @property
    def path(self) -> str:
        """The path of the route key, such as `/v1/accounts/{id}`."""
        return str(self.get("routeKey", "")).partition(" ")[2]


class Api(APIGatewayHttpResolver):
    """The resolver of one function; nothing in it is shared with another function's.

    Why: Powertools keeps the current event on a class, so two functions in one process would
    see each other's; here each resolver keeps its own.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType]
        self._now = now
        self._event: APIGatewayProxyEventV2 | None = None
        self.exception_handler(TollkeeperError)(self._refuse)
        self.exception_handler(Exception)(self._fail)
        self.not_found(self._no_route)  # pyright: ignore[reportUnknownMemberType]

    def resolve(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """What the function answers to API Gateway."""
        return mark_answer(event, super().resolve(event, context))

    @property
    def current_event(self) -> APIGatewayProxyEventV2:  # type: ignore[override]
        """The event of the request that this resolver is answering."""
        assert self._event is not None, "no request is being answered"
        return self._event

    def _to_proxy_event(self, event: dict[str, Any]) -> APIGatewayProxyEventV2:
        self._event = RoutedEvent(event)
        return self._event

    def _convert_matches_into_route_keys(self, match: Match[str]) -> dict[str, str]:
        given = self.current_event.path_parameters
        return {name: given.get(name, "") for name in match.groupdict()}

    def read(self) -> Request:
        """The request that is being answered."""
        return Request(self.current_event.raw_event, self._now())

    def read_known(self) -> Request:
        """The request, from somebody who may call its route.

        Raises: UnauthorizedError, ForbiddenError.
        """
        request = self.read()
        request.principal()
        return request

    def _refuse(self, error: TollkeeperError) -> Response[str]:
        status, problem = describe(error, self._request_id())
        facts = {"route": self.current_event.raw_event.get("routeKey"), "detail": error.detail}
        # Alarms and automations hang on these: a user who asks and asks must not set them off.
        is_told = error.code in REFUSALS and not is_asked_by_user(self.current_event.raw_event)
        log_refusal(error.code, status, counted_at=self._now() if is_told else None, **facts)
        if status == 500:
            log_failure("failed", **facts)
        if is_told:
            self._tell(problem)
        return _problem(status, problem)

    def _tell(self, problem: Mapping[str, Any]) -> None:
        """The event bus has heard of the refusal, or a line says why not; nothing is raised.

        Why: the answer is the same whatever becomes of its event. Imported here, since nothing
        but a refusal needs the bus.
        """
        try:
            if read_settings().event_bus_name:
                from tollkeeper.edge.refusals import tell_refusal

                tell_refusal(self.read(), problem)
        except Exception as error:  # noqa: BLE001 - as above
            log_alarm("refusal not told", kind=type(error).__name__, reason=str(error)[:300])

    def _fail(self, _: Exception) -> Response[str]:
        log_failure("failed", route=self.current_event.raw_event.get("routeKey"))
        wrapped = TollkeeperError("Something broke on our side; the same request is safe to send.")
        status, problem = describe(wrapped, self._request_id())
        return _problem(status, problem)

    def _no_route(self, _: Exception) -> Response[str]:
        status, problem = describe(NotFoundError("There is no such route."), self._request_id())
        return _problem(status, problem)

    def _request_id(self) -> str:
        return str(self.current_event.raw_event.get("requestContext", {}).get("requestId", ""))


def _problem(status: int, problem: Mapping[str, Any]) -> Response[str]:
    headers = {"Cache-Control": "no-store"}
    if status in (429, 503):
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return Response(status, PROBLEM_JSON, write_json(problem), headers=cast(Any, headers))
