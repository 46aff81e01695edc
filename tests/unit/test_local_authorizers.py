"""An authorizer's answer holds for its template's seconds and for its identity sources alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from local.authorizers import Allowed, AuthorizerGate, Refused
from local.environments import BusyError, FunctionError
from local.events import Received
from local.template import Authorizer
from local.wire import Request


@dataclass
class FakeAuthorizer:
    """Stands for the authorizer function: answers what it is told to, and counts."""

    answer: object = field(
        default_factory=lambda: {"isAuthorized": True, "context": {"principal": "service:k"}}
    )
    error: Exception | None = None
    events: list[Mapping[str, object]] = field(default_factory=list[Mapping[str, object]])

    def invoke(self, function: str, event: Mapping[str, object]) -> object:
        assert function == "authorizer"
        self.events.append(event)
        if self.error is not None:
            raise self.error
        return self.answer


@dataclass
class FakeClock:
    """A clock that moves when a test says so."""

    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


def make_gate(
    function: FakeAuthorizer,
    *,
    ttl_s: int = 60,
    clock: FakeClock | None = None,
    sources: tuple[str, ...] = ("$request.header.Authorization", "$context.routeKey"),
) -> AuthorizerGate:
    authorizer = Authorizer(
        name="ServiceKey", function="authorizer", ttl_s=ttl_s, identity_sources=sources
    )
    return AuthorizerGate(authorizer, invoke=function.invoke, clock=clock or FakeClock())


def make_received(key: str | None = "Bearer k", *, route_key: str = "GET /v1/packs") -> Received:
    headers = (("host", "x"),) if key is None else (("host", "x"), ("authorization", key))
    request = Request(
        method="GET",
        target="/v1/packs?token=t1",
        protocol="HTTP/1.1",
        headers=headers,
        body=b"",
        source_ip="127.0.0.1",
    )
    return Received(
        request=request,
        route_key=route_key,
        path="/v1/packs",
        path_parameters={},
        request_id="id",
        received_at=datetime(2026, 3, 10, tzinfo=UTC),
    )


def test_an_allowed_request_carries_the_authorizer_s_context() -> None:
    function = FakeAuthorizer()

    decision = make_gate(function).decide(make_received())

    assert decision == Allowed(context={"principal": "service:k"})
    assert function.events[0]["identitySource"] == ["Bearer k", "GET /v1/packs"]


@pytest.mark.parametrize("key", [None, ""])
def test_a_missing_identity_is_401_and_no_function_runs(key: str | None) -> None:
    function = FakeAuthorizer()

    assert make_gate(function).decide(make_received(key)) == Refused(status=401)
    assert function.events == []


def test_a_denied_request_is_403() -> None:
    gate = make_gate(FakeAuthorizer(answer={"isAuthorized": False}))

    assert gate.decide(make_received()) == Refused(status=403)


@pytest.mark.parametrize("answer", [None, "yes", {}, {"isAuthorized": "true"}, []])
def test_an_answer_that_is_no_answer_is_500(answer: object) -> None:
    assert make_gate(FakeAuthorizer(answer=answer)).decide(make_received()) == Refused(status=500)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (FunctionError(error_type="Exception", message="Unauthorized"), 401),
        (FunctionError(error_type="KeyError", message="x"), 500),
        (BusyError("authorizer"), 500),
    ],
)
def test_a_failing_authorizer_lets_nobody_through(error: Exception, status: int) -> None:
    function = FakeAuthorizer(error=error)
    gate = make_gate(function)

    assert gate.decide(make_received()) == Refused(status=status)
    assert gate.decide(make_received()) == Refused(status=status)

    assert len(function.events) == 2, "a failure must not be kept"


@pytest.mark.parametrize("is_authorized", [True, False])
def test_an_answer_is_kept_for_the_template_s_seconds(is_authorized: bool) -> None:
    function, clock = FakeAuthorizer(answer={"isAuthorized": is_authorized}), FakeClock()
    gate = make_gate(function, clock=clock)

    gate.decide(make_received())
    clock.now_s += 59.9
    gate.decide(make_received())
    assert len(function.events) == 1

    clock.now_s += 0.2
    gate.decide(make_received())
    assert len(function.events) == 2


def test_an_answer_for_one_route_never_serves_another() -> None:
    function = FakeAuthorizer()
    gate = make_gate(function)

    gate.decide(make_received(route_key="GET /v1/packs"))
    gate.decide(make_received(route_key="POST /v1/deduct"))

    assert len(function.events) == 2


def test_without_the_route_among_the_sources_the_cache_serves_every_route_as_on_aws() -> None:
    function = FakeAuthorizer()
    gate = make_gate(function, sources=("$request.header.Authorization",))

    gate.decide(make_received(route_key="GET /v1/packs"))
    gate.decide(make_received(route_key="POST /v1/deduct"))

    assert len(function.events) == 1


def test_an_answer_for_one_key_never_serves_another() -> None:
    function = FakeAuthorizer()
    gate = make_gate(function)

    gate.decide(make_received("Bearer k"))
    gate.decide(make_received("Bearer other"))

    assert len(function.events) == 2


def test_zero_seconds_keep_nothing() -> None:
    function = FakeAuthorizer()
    gate = make_gate(function, ttl_s=0)

    gate.decide(make_received())
    gate.decide(make_received())

    assert len(function.events) == 2


def test_a_query_parameter_can_be_an_identity_source() -> None:
    function = FakeAuthorizer()

    make_gate(function, sources=("$request.querystring.token",)).decide(make_received())

    assert function.events[0]["identitySource"] == ["t1"]


def test_an_unknown_identity_source_lets_nobody_through() -> None:
    gate = make_gate(FakeAuthorizer(), sources=("$stageVariables.key",))

    assert gate.decide(make_received()) == Refused(status=401)
