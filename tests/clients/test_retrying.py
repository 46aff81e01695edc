"""One logical call: the same request, again and again, inside one deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Sequence

import httpx
import pytest

from tests.clients.virtual_time import VirtualTime, virtual
from tollkeeper_client import (
    AsyncTollkeeper,
    BusyError,
    InsufficientCreditsError,
    NoAnswerError,
    ThrottledError,
    Tollkeeper,
    UnauthorizedError,
    UnavailableError,
    UnreadableAnswerError,
)

CHARGED = {"key": "k", "charged": 1, "available": 9, "held": 0, "debt": 0, "seq": 2}
Answer = httpx.Response | Exception


class Stage(VirtualTime):
    """A server that answers from a list, whose last answer is repeated."""

    def __init__(self, answers: Sequence[Answer], *, chance: float = 0.5) -> None:
        super().__init__()
        self.answers = list(answers)
        self.chance = chance
        self.requests: list[httpx.Request] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def keys(self) -> list[str]:
        return [request.headers["idempotency-key"] for request in self.requests]


Act = Callable[..., Tollkeeper]


@pytest.fixture
def act() -> Generator[Act]:
    made: list[Tollkeeper] = []

    def make(stage: Stage, deadline_s: float = 10.0) -> Tollkeeper:
        client = Tollkeeper(
            "https://api.example.com",
            "tk_dev_1_2",
            deadline_s=deadline_s,
            transport=httpx.MockTransport(stage.answer),
            surroundings=virtual(stage, chance=stage.chance),
        )
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


def ok() -> httpx.Response:
    return httpx.Response(200, json=CHARGED)


def busy(status: int = 503, *, retry_after: str | None = None) -> httpx.Response:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return httpx.Response(status, json={"code": "busy"}, headers=headers)


def test_s0_16_a_call_is_tried_again_by_itself_with_one_key(act: Act) -> None:
    stage = Stage([busy(), httpx.ReadTimeout("slow"), busy(504), ok()])

    charge = act(stage).deduct("user_1", "sms")

    assert charge.charged == 1
    assert len(stage.requests) == 4
    assert len(set(stage.keys)) == 1
    assert len({request.content for request in stage.requests}) == 1


def test_two_calls_have_two_keys(act: Act) -> None:
    stage = Stage([ok()])
    client = act(stage)

    client.deduct("user_1", "sms")
    client.deduct("user_1", "sms")

    assert len(set(stage.keys)) == 2


def test_waits_grow_and_are_drawn_below_their_bound(act: Act) -> None:
    stage = Stage([busy(), busy(), busy(), busy(), ok()])

    act(stage).deduct("user_1", "sms")

    assert stage.slept == [0.05, 0.1, 0.2, 0.4]


def test_waits_are_bounded(act: Act) -> None:
    stage = Stage([busy()], chance=1.0)

    with pytest.raises(BusyError):
        act(stage, deadline_s=60).deduct("user_1", "sms")

    assert max(stage.slept) == 3.0


def test_retry_after_is_waited_at_least(act: Act) -> None:
    stage = Stage([busy(429, retry_after="2"), ok()])

    act(stage).deduct("user_1", "sms")

    assert stage.slept == [2.05]


def test_a_wait_that_ends_after_the_deadline_is_not_begun(act: Act) -> None:
    stage = Stage([busy(retry_after="30")])

    with pytest.raises(BusyError) as caught:
        act(stage).deduct("user_1", "sms")

    assert stage.slept == []
    assert caught.value.retry_after_s == 30


def test_the_deadline_is_kept_and_the_last_fault_is_told(act: Act) -> None:
    stage = Stage([httpx.ConnectError("refused")])

    with pytest.raises(NoAnswerError, match="refused"):
        act(stage, deadline_s=5).deduct("user_1", "sms")

    assert stage.now_s < 5
    assert len(stage.requests) > 3


@pytest.mark.parametrize(
    ("answers", "is_unknown"),
    [
        ([httpx.ConnectError("refused")], False),
        ([httpx.ReadTimeout("slow"), httpx.ConnectError("refused")], True),
        ([busy()], True),
    ],
)
def test_the_outcome_is_unknown_only_where_a_try_may_have_arrived(
    act: Act, answers: list[Answer], is_unknown: bool
) -> None:
    with pytest.raises(UnavailableError) as caught:
        act(Stage(answers)).deduct("user_1", "sms")

    assert caught.value.is_outcome_unknown == is_unknown


def test_no_try_takes_longer_than_what_is_left(act: Act) -> None:
    stage = Stage([busy(retry_after="4"), httpx.ReadTimeout("slow")])

    with pytest.raises(NoAnswerError):
        act(stage, deadline_s=5).deduct("user_1", "sms")

    timeouts = [request.extensions["timeout"]["read"] for request in stage.requests]
    assert timeouts[0] == 5
    assert timeouts[1] < 1
    assert all(left > 0 for left in timeouts)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 413, 422, 500, 301])
def test_what_cannot_pass_by_itself_is_asked_once(act: Act, status: int) -> None:
    stage = Stage([httpx.Response(status, json={"message": "no"})])

    with pytest.raises(Exception, match="no"):
        act(stage).deduct("user_1", "sms")

    assert len(stage.requests) == 1
    assert stage.slept == []


def test_a_refusal_after_a_fault_stands(act: Act) -> None:
    stage = Stage([busy(), httpx.Response(402, json={"code": "insufficient_credits"})])

    with pytest.raises(InsufficientCreditsError):
        act(stage).deduct("user_1", "sms")


def test_too_many_requests_for_too_long_is_an_error_of_its_own(act: Act) -> None:
    stage = Stage([httpx.Response(429, json={"message": "Too Many Requests"})])

    with pytest.raises(ThrottledError):
        act(stage).deduct("user_1", "sms")


def test_an_answer_that_is_not_tollkeepers_is_not_believed(act: Act) -> None:
    for answer in (httpx.Response(200, text="<html>"), httpx.Response(200, json={"ok": True})):
        with pytest.raises(UnreadableAnswerError):
            act(Stage([answer])).deduct("user_1", "sms")


def test_redirects_are_not_followed_so_that_the_key_stays_here(act: Act) -> None:
    stage = Stage([httpx.Response(307, headers={"Location": "https://elsewhere.example.com"})])

    with pytest.raises(Exception, match="307"):
        act(stage).deduct("user_1", "sms")

    assert {request.url.host for request in stage.requests} == {"api.example.com"}


def test_the_service_key_is_sent_and_never_shown(act: Act) -> None:
    stage = Stage([httpx.Response(401, json={"message": "Unauthorized"})])
    client = act(stage)

    with pytest.raises(UnauthorizedError) as caught:
        client.check("user_1", "sms")

    assert stage.requests[0].headers["authorization"] == "Bearer tk_dev_1_2"
    assert "tk_dev" not in repr(client) + repr(caught.value) + str(caught.value)


def test_the_asynchronous_client_keeps_the_same_rules() -> None:
    stage = Stage([busy(429, retry_after="2"), httpx.ReadTimeout("slow"), ok()])

    async def ask() -> None:
        async with AsyncTollkeeper(
            "https://api.example.com",
            "tk_dev_1_2",
            transport=httpx.MockTransport(stage.answer),
            surroundings=virtual(stage, chance=stage.chance),
        ) as client:
            assert (await client.deduct("user_1", "sms")).charged == 1

    asyncio.run(ask())
    assert stage.slept == [2.05, 0.1]
    assert len(set(stage.keys)) == 1
