"""template.yaml: each new ledger row reaches the bus, or a queue that somebody is told of."""

from __future__ import annotations

import ast
import json
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest

from local.cloudformation import parse
from local.events_source import read_stream_sources
from local.template import TEMPLATE_PATH, read_template, table_definition
from tollkeeper.domain.entries import AccountId, EntryKey
from tollkeeper.domain.events import EventType
from tollkeeper.edge.bus import SOURCE
from tollkeeper.edge.refusals import TELLING
from tollkeeper.edge.settings import Settings
from tollkeeper.store.keys import (
    account_key,
    day_key,
    entry_key,
    purchase_key,
    returned_key,
)

TOPIC = "arn:aws:sns:us-east-1:000000000000:ops"
TEMPLATE = read_template(parameters={"AlarmTopicArn": TOPIC})
ACCOUNT = AccountId("user_1")


def properties(logical_id: str) -> dict[str, Any]:
    return cast("dict[str, Any]", TEMPLATE.resources[logical_id]["Properties"])


def statement(action: str) -> dict[str, Any]:
    """The one statement of notify that allows the action."""
    (policy,) = properties("NotifyFunction")["Policies"]
    (found,) = [each for each in policy["Statement"] if action in each["Action"]]
    return found


def test_the_table_streams_the_new_image_and_nothing_else() -> None:
    assert properties("Table")["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}


def test_the_stream_is_no_part_of_what_a_test_or_a_benchmark_makes() -> None:
    assert "StreamSpecification" not in table_definition(TEMPLATE, name="t")


def test_the_functions_stream_is_the_tables_from_its_beginning() -> None:
    mapping = properties("NotifyStream")

    assert mapping["EventSourceArn"] == "Table.StreamArn"
    assert mapping["FunctionName"] == "NotifyFunction"
    assert mapping["StartingPosition"] == "TRIM_HORIZON"


def test_only_new_rows_invoke_it() -> None:
    source = read_stream_sources(TEMPLATE)["notify"]
    row = entry_key(ACCOUNT, EntryKey("c#msg_1"))
    others = [
        account_key(ACCOUNT),
        day_key(ACCOUNT, date(2026, 11, 20)),
        returned_key(ACCOUNT, EntryKey("c#msg_1")),
        purchase_key(ACCOUNT, "pur_1"),
    ]

    def takes(key: dict[str, Any], kind: str) -> bool:
        return source.takes({"eventName": kind, "dynamodb": {"Keys": key}})

    assert takes(row, "INSERT")
    assert not takes(row, "MODIFY") and not takes(row, "REMOVE")
    assert not any(takes(key, "INSERT") for key in others)


def test_a_failure_is_reported_row_by_row_and_retried_within_bounds() -> None:
    mapping = properties("NotifyStream")

    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert 0 < int(mapping["MaximumRetryAttempts"]) <= 1_000
    # The stream keeps its records for a day: what is given up later could not be looked at.
    assert 60 <= int(mapping["MaximumRecordAgeInSeconds"]) < 24 * 3600
    assert 1 < int(mapping["ParallelizationFactor"]) <= 10


def test_what_is_given_up_waits_in_a_queue_for_two_weeks_and_rings() -> None:
    destination = properties("NotifyStream")["DestinationConfig"]["OnFailure"]["Destination"]
    queue, alarm = properties("UnnotifiedQueue"), properties("UnnotifiedAlarm")

    assert destination == "UnnotifiedQueue.Arn"
    assert int(queue["MessageRetentionPeriod"]) == 14 * 24 * 3600
    assert queue["SqsManagedSseEnabled"] is True
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": "UnnotifiedQueue.QueueName"}]
    assert (alarm["MetricName"], int(alarm["Threshold"])) == (
        "ApproximateNumberOfMessagesVisible",
        0,
    )


def test_events_that_are_late_ring() -> None:
    alarm = properties("NotifyLateAlarm")

    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Lambda", "IteratorAge")
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": "NotifyFunction"}]
    assert int(alarm["Threshold"]) == 600_000


@pytest.mark.parametrize("alarm", ["NotifyLateAlarm", "UnnotifiedAlarm"])
def test_its_alarms_reach_the_topic_and_silence_is_health(alarm: str) -> None:
    assert properties(alarm)["AlarmActions"] == [TOPIC]
    assert properties(alarm)["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("dynamodb:GetRecords", "Table.StreamArn"),
        ("dynamodb:GetItem", "Table.Arn"),
        ("dynamodb:Query", "Table.Arn/index/history"),
        ("events:PutEvents", "EventBus.Arn"),
        ("sqs:SendMessage", "UnnotifiedQueue.Arn"),
    ],
)
def test_the_function_may_do_each_thing_with_one_resource(action: str, resource: str) -> None:
    assert statement(action)["Resource"] == resource


def test_only_live_updates_read_the_stream_too() -> None:
    for name, function in TEMPLATE.functions.items():
        text = json.dumps(properties(function.logical_id).get("Policies"))
        assert ("GetRecords" in text) == (name in ("notify", "live"))
        assert ("UnnotifiedQueue" in text) == (name == "notify")


@pytest.mark.parametrize("name", sorted(TEMPLATE.functions))
def test_who_tells_and_nobody_else_knows_the_bus_and_may_put_events_on_it(name: str) -> None:
    function = TEMPLATE.functions[name]
    policies = properties(function.logical_id).get("Policies", [])
    stated = [each for policy in policies for each in policy["Statement"]]
    putting = [each for each in stated if "events:PutEvents" in each["Action"]]
    tells = name in {"notify", *TELLING}

    assert [each["Resource"] for each in putting] == ["EventBus.Arn"] * tells
    assert all(each["Action"] == ["events:PutEvents"] for each in putting)
    assert function.environment.get("EVENT_BUS_NAME") == ("EventBus" if tells else None)
    assert "event_bus_name" in Settings.model_fields


def test_what_is_sent_last_is_sent_well_before_the_function_is_ended() -> None:
    handler = Path(TEMPLATE_PATH.parent / "functions/notify/handler.py").read_text(encoding="utf-8")
    (last_ms,) = [
        ast.literal_eval(node.value)
        for node in ast.parse(handler).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    ]

    assert 6_000 < last_ms < TEMPLATE.functions["notify"].timeout_s * 1000 / 2


def test_two_stacks_of_one_account_have_a_bus_each() -> None:
    # The local reader calls every stack so; on AWS it is the stack's own name.
    assert properties("EventBus") == {"Name": "tollkeeper-local"}


def test_the_rules_that_we_show_match_events_that_there_are() -> None:
    shown = parse((TEMPLATE_PATH.parent / "examples/events/rules.yaml").read_text(encoding="utf-8"))
    resources = cast("dict[str, Any]", shown["Resources"])
    patterns = [
        each["Properties"]["EventPattern"]
        for each in resources.values()
        if each["Type"] == "AWS::Events::Rule"
    ]

    assert len(patterns) == 3
    assert [pattern["source"] for pattern in patterns] == [[SOURCE]] * 3
    named = {kind for pattern in patterns for kind in pattern.get("detail-type", [])}
    assert named <= {each.value for each in EventType}


def test_the_events_of_one_machine_are_no_route_of_the_stack() -> None:
    assert not any("events" in route.path for route in TEMPLATE.routes)
