"""template.yaml: what asks for a top-up reaches its function, or a queue that somebody hears of."""

from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from local.events_source import matches
from local.template import TEMPLATE_PATH, read_template
from tollkeeper.domain.events import EventType
from tollkeeper.domain.top_ups import LOOK_AFTER
from tollkeeper.edge.bus import SOURCE

TOPIC = "arn:aws:sns:us-east-1:000000000000:ops"
TEMPLATE = read_template(parameters={"AlarmTopicArn": TOPIC})


def properties(logical_id: str) -> dict[str, Any]:
    return cast("dict[str, Any]", TEMPLATE.resources[logical_id]["Properties"])


def test_what_asks_for_a_top_up_reaches_the_function_and_nothing_else_does() -> None:
    (rule,) = [each for each in TEMPLATE.rules if each.function == "top_up"]

    taken = {
        each
        for each in EventType
        if matches({"source": SOURCE, "detail-type": each.value}, rule.pattern)
    }

    assert taken == {EventType.CREDITS_TOP_UP_DUE, EventType.SPEND_REFUSED}
    assert not matches({"source": "other", "detail-type": "spend.refused"}, rule.pattern)
    assert properties("TopUpFunction")["Events"]["Due"]["Properties"]["EventBusName"] == "EventBus"


def test_what_is_given_up_waits_in_a_queue_for_two_weeks_and_rings() -> None:
    invoked, queue, alarm = (
        properties(name) for name in ("TopUpRetries", "UntoppedQueue", "UntoppedAlarm")
    )

    assert invoked["FunctionName"] == "TopUpFunction"
    assert invoked["DestinationConfig"] == {"OnFailure": {"Destination": "UntoppedQueue.Arn"}}
    assert int(queue["MessageRetentionPeriod"]) == 14 * 24 * 3600
    assert queue["SqsManagedSseEnabled"] is True
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": "UntoppedQueue.QueueName"}]
    assert alarm["AlarmActions"] == [TOPIC]


def test_it_has_ended_before_anybody_else_looks_at_what_it_began() -> None:
    assert timedelta(seconds=TEMPLATE.functions["top_up"].timeout_s) < LOOK_AFTER


def test_no_account_is_begun_that_could_not_be_ended() -> None:
    handler = Path(TEMPLATE_PATH.parent / "functions/top_up/handler.py").read_text("utf-8")
    (last_ms,) = [
        ast.literal_eval(node.value)
        for node in ast.parse(handler).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    ]

    assert 40_000 < last_ms < TEMPLATE.functions["top_up"].timeout_s * 1000


def test_what_is_under_way_is_looked_at_every_five_minutes() -> None:
    (schedule,) = [each for each in TEMPLATE.schedules if each.function == "top_up"]

    assert (schedule.expression, schedule.event) == ("rate(5 minutes)", {})
