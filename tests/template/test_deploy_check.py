"""The deploy check judges what it is answered: a wrong answer fails it, with the whole answer."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest

from local.deploy_check import step
from local.deployed import CheckError, Deployed, DeployedFunction, Reply, expect, make_gateway
from local.deployed_checks import paid_event, signature
from local.environments import FunctionError
from local.template import read_template
from tollkeeper.domain.catalog import Pack
from tollkeeper.edge.stripe_signature import verify_signature

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass
class FakeLambda:
    """Lambda's API: answers by function name, and remembers the events."""

    answers: dict[str, object]
    fails: bool = False
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        self.events.append(json.loads(Payload))
        answer = {"Payload": io.BytesIO(json.dumps(self.answers[FunctionName]).encode())}
        return {**answer, "FunctionError": "Unhandled"} if self.fails else answer


def test_an_expected_answer_passes_and_is_given_back() -> None:
    reply = Reply(status=200, headers={}, members={"status": "paid", "available": 3})

    assert expect(reply, 200, status="paid") is reply


@pytest.mark.parametrize(("status", "members"), [(201, {}), (200, {"available": 4})])
def test_an_unexpected_answer_fails_with_the_whole_answer(
    status: int, members: dict[str, object]
) -> None:
    reply = Reply(status=200, headers={}, members={"available": 3, "seq": 9})

    with pytest.raises(CheckError, match=r"found 200 .*'seq': 9"):
        expect(reply, status, **members)


def test_a_function_that_fails_is_not_taken_for_an_answer() -> None:
    client = FakeLambda({"check": {"errorType": "KeyError", "errorMessage": "'x'"}}, fails=True)
    function = DeployedFunction(client=cast("LambdaClient", client), name="check")

    with pytest.raises(FunctionError, match="KeyError: 'x'"):
        function.invoke({})


def test_a_request_goes_through_the_authorizer_to_the_function_of_its_route(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = {"principal": "service:1", "scopes": "check", "expires_at": ""}
    client = FakeLambda(
        {
            "deployed-authorizer": {"isAuthorized": True, "context": context},
            "deployed-check": {"statusCode": 200, "body": '{"allowed": true}'},
        }
    )
    template = read_template()
    outputs = {
        f"{function.logical_id}Name": f"deployed-{name}"
        for name, function in template.functions.items()
    }

    def connect(_: str) -> FakeLambda:
        return client

    monkeypatch.setattr("local.deployed.boto3.client", connect)
    stack = Deployed(gateway=make_gateway(template, outputs), outputs=outputs, key="tk_test_1_2")

    reply = stack.call("POST", "/v1/check", body={"account": "user_1"})

    asked, sent = client.events
    assert asked["identitySource"] == ["Bearer tk_test_1_2", "POST /v1/check"]
    assert sent["requestContext"]["authorizer"] == {"lambda": context}
    assert (reply.status, reply.members) == (200, {"allowed": True})


def test_the_event_it_signs_is_one_that_the_webhook_verifies() -> None:
    pack = Pack("starter", "Starter", 100_000_000, 1000, "usd")
    body = json.dumps(paid_event("pur_1", pack))

    header = signature(body, secret="whsec_1")

    verify_signature(body.encode(), header, secrets=["whsec_1"], now=datetime.now(UTC))


def test_a_step_says_how_it_ended(capsys: pytest.CaptureFixture[str]) -> None:
    with step("one"):
        pass
    with pytest.raises(CheckError), step("two"):
        raise CheckError("no")

    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("ok") and first.endswith("one")
    assert second.startswith("FAILED") and second.endswith("two")
