"""template.yaml: Stripe's events by its own event bus, and the alarms on what became of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from local.cloudformation import as_mapping, parse
from local.template import TEMPLATE_PATH, Template, read_template
from tollkeeper.domain.payments import PaymentOutcome
from tollkeeper.edge.deliveries import EVENTS_METRIC, STRIPE_SOURCE
from tollkeeper.edge.observability import NAMESPACE

TOPIC = "arn:aws:sns:us-east-1:000000000000:ops"
BUS = STRIPE_SOURCE + "ed_test_61U8OhWNACpdhq6GG16"
CLOSED = read_template(parameters={"AlarmTopicArn": TOPIC})
OPEN = read_template(parameters={"AlarmTopicArn": TOPIC, "StripeEventBus": BUS})
DOOR = {"StripeRule", "StripeRulePermission", "UnappliedQueuePolicy"}


def properties(logical_id: str, template: Template = OPEN) -> dict[str, Any]:
    return cast("dict[str, Any]", template.resources[logical_id]["Properties"])


def test_the_second_door_is_there_only_where_it_is_asked_for() -> None:
    assert not set(CLOSED.resources) & DOOR
    assert set(OPEN.resources) >= DOOR


def test_a_bus_is_one_of_stripes_or_none() -> None:
    document = parse(Path(TEMPLATE_PATH).read_text(encoding="utf-8"))
    parameters = as_mapping(document["Parameters"], where="Parameters")
    parameter = as_mapping(parameters["StripeEventBus"], where="StripeEventBus")

    assert parameter["Default"] == ""
    assert str(parameter["AllowedPattern"]).startswith(r"^(aws\.partner/stripe\.com/")


def test_only_stripes_own_events_reach_the_function_and_only_by_that_rule() -> None:
    rule, permission = properties("StripeRule"), properties("StripeRulePermission")

    assert (rule["EventBusName"], rule["EventPattern"]) == (BUS, {"source": [BUS]})
    (target,) = rule["Targets"]
    assert target["Arn"] == "PurchaseWebhookFunction.Arn"
    assert target["DeadLetterConfig"] == {"Arn": "UnappliedQueue.Arn"}
    assert permission["Principal"] == "events.amazonaws.com"
    assert permission["SourceArn"] == "StripeRule.Arn"
    assert permission["Action"] == "lambda:InvokeFunction"


def test_what_cannot_be_applied_waits_in_a_queue_for_two_weeks_and_rings() -> None:
    invoked, queue, alarm = (
        properties(name) for name in ("StripeRetries", "UnappliedQueue", "UnappliedAlarm")
    )
    (statement,) = properties("UnappliedQueuePolicy")["PolicyDocument"]["Statement"]

    assert invoked["FunctionName"] == "PurchaseWebhookFunction"
    assert invoked["DestinationConfig"] == {"OnFailure": {"Destination": "UnappliedQueue.Arn"}}
    assert int(queue["MessageRetentionPeriod"]) == 14 * 24 * 3600
    assert queue["SqsManagedSseEnabled"] is True
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": "StripeRule.Arn"}}
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": "UnappliedQueue.QueueName"}]
    assert alarm["AlarmActions"] == [TOPIC]


@pytest.mark.parametrize(
    ("alarm", "outcome"),
    [
        ("QuarantinedPaymentsAlarm", PaymentOutcome.QUARANTINED),
        ("DisputedPaymentsAlarm", PaymentOutcome.DISPUTED),
    ],
)
def test_s3_18_what_a_person_must_see_rings_by_the_metric_that_the_webhook_counts(
    alarm: str, outcome: PaymentOutcome
) -> None:
    found = properties(alarm)

    assert (found["Namespace"], found["MetricName"]) == (NAMESPACE, EVENTS_METRIC)
    assert found["Dimensions"] == [{"Name": "outcome", "Value": outcome.value}]
    assert (found["Statistic"], int(found["Threshold"])) == ("Sum", 1)
    assert found["AlarmActions"] == [TOPIC]
