"""What a deployed stack must tell: a rule on its bus hears of new rows, also after a redrive."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, cast

import boto3

from local.deployed import CheckError, Deployed, expect
from tollkeeper.edge.bus import SOURCE

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT = "user_3"
RULE = "tollkeeper-deploy-check"
PATIENCE_S = 30.0


def check_events(stack: Deployed) -> None:
    """A grant, a charge and a refusal are heard of through the bus and a rule's target."""
    queue = _listen(stack.outputs["EventBusName"])
    path = f"/v1/accounts/{ACCOUNT}/grants"
    grant = {"amount": 50, "kind": "promo", "reason": "deploy check"}
    expect(stack.call("POST", path, body=grant, idempotency_key="grant_3"), 201)
    run = {"account": ACCOUNT, "operation": "sms", "quantity": 2}
    charged = expect(stack.call("POST", "/v1/deduct", body=run, idempotency_key="sms_3"), 200)
    seq = cast("int", charged.members["seq"])
    told = _await(queue, {f"{ACCOUNT}:{seq - 1}:0", f"{ACCOUNT}:{seq}:0"})
    detail = told[f"{ACCOUNT}:{seq}:0"]
    if (detail.get("charged"), detail.get("key")) != ("2", "sms_3"):
        raise CheckError(f"the event of the charge is {detail}")
    asked = {"redrive": {"account": ACCOUNT, "from_seq": seq, "to_seq": seq}}
    answer = cast("dict[str, object]", stack.gateway.invoke("notify", asked))
    if (answer["rows"], answer["failed"], answer["missing"]) != (1, [], []):
        raise CheckError(f"the redrive answers {answer}")
    again = _await(queue, {f"{ACCOUNT}:{seq}:0"})
    if again[f"{ACCOUNT}:{seq}:0"] != detail:
        raise CheckError(f"the redrive tells {again}, and before that {detail}")
    refused = expect(stack.call("POST", "/v1/check", body=run | {"quantity": 9_000}), 402)
    request_id = str(refused.members["request_id"])
    detail = _await(queue, {request_id})[request_id]
    if (detail.get("account"), detail.get("code")) != (ACCOUNT, "insufficient_credits"):
        raise CheckError(f"the event of the refusal is {detail}")


def _client(service: str) -> Any:
    make = cast("Any", boto3.client)  # pyright: ignore[reportUnknownMemberType]
    return make(service)


def _listen(bus: str) -> str:
    """The URL of a queue that hears of everything on the bus from now on."""
    queues, events = _client("sqs"), _client("events")
    queue: str = queues.create_queue(QueueName=RULE)["QueueUrl"]
    attributes = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    pattern = json.dumps({"source": [SOURCE]})
    events.put_rule(Name=RULE, EventBusName=bus, EventPattern=pattern)
    target = {"Id": "queue", "Arn": attributes["Attributes"]["QueueArn"]}
    events.put_targets(Rule=RULE, EventBusName=bus, Targets=[target])
    return queue


def _await(queue: str, ids: set[str]) -> Mapping[str, Mapping[str, object]]:
    """The details of the events with these ids. Raises: CheckError where one does not come."""
    client = _client("sqs")
    found: dict[str, Mapping[str, object]] = {}
    deadline = time.monotonic() + PATIENCE_S
    while ids - set(found):
        if time.monotonic() > deadline:
            raise CheckError(f"no event {sorted(ids - set(found))}; there came {sorted(found)}")
        answer = client.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in answer.get("Messages", []):
            detail = json.loads(message["Body"])["detail"]
            found[detail["id"]] = detail
            client.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return found
