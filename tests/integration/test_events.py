"""Every file in events/ is a real event, and is replayed through its function here."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.driving import Driver, FakeContext, load, read_answer
from tests.support.payments import FakeStripe
from tollkeeper.edge.authorization import gatehouse
from tollkeeper.edge.routes import ROUTES
from tollkeeper.service.keys import adopt_key

FOLDER = Path(__file__).parents[2] / "events"
FILES = sorted(path.stem for path in FOLDER.glob("*.json"))
KEY = "tk_dev_0123456789ab_example"
NOT_HTTP = ("authorizer", "live", "live_access", "notify", "period_reset", "report", "top_up")
PAYMENTS = ("checkout", "purchase_webhook")

# In this order, in one table: what each answers, and a member of the answer.
REPLAYED: dict[str, tuple[int, str, object]] = {
    "check.check": (200, "required", 3),
    "check.cannot_pay": (402, "shortfall", 85),
    "check.estimate": (200, "typical", 60),
    "deduct.without_key": (400, "code", "malformed"),
    "deduct.deduct": (200, "available", 13.5),
    "deduct.provider_usage": (200, "available", 12),
    "deduct.void": (200, "refunded", 1.5),
    "account.entry": (200, "returned_by", "void_812"),
    "hold.hold": (201, "available", 9),
    "hold.by_key": (201, "available", 7),
    "hold.cannot_pay": (402, "held", 8),
    "hold.extend": (200, "held", 8),
    "hold.part": (200, "held", 6.5),
    "hold.settle": (200, "released", 1.5),
    "hold.release": (200, "released", 2),
    "budget.fund": (201, "budget_available", 5),
    "budget.close": (200, "returned", 5),
    "admin.limits": (200, "set_by", "user"),
    "check.limit_reached": (402, "blocking", "per_run_max"),
    "admin.grant": (201, "available", 113.5),
    "admin.adjustment": (201, "adjusted", -0.5),
    "admin.refund": (201, "refunded", 0.5),
    "admin.rerate": (409, "code", "not_pending"),
    "admin.quarantine": (200, "next_cursor", None),
    "admin.payment_cases": (200, "next_cursor", None),
    "admin.release_case": (404, "code", "not_found"),
    "account.purchases": (200, "next_cursor", None),
    "account.live": (200, "url", None),
    "admin.make_code": (201, "redemptions", 0),
    "admin.redeem": (201, "granted", 5),
    "admin.end_code": (200, "redemptions", 1),
    "admin.top_up": (200, "available", 118.5),
    "account.top_up": (200, "hindrance", "no_customer"),
    "admin.plan": (200, "to", "pro"),
    "admin.profile": (200, "zone", "Europe/Berlin"),
    "account.balance": (200, "available", 154.5),
    "account.entries": (200, "next_cursor", None),
    "account.search": (200, "next_cursor", None),
    "stats.stats": (200, "zone", "UTC"),
    "stats.usage": (200, "through", None),
    "stats.customers": (200, "since", None),
    "verify.account": (200, "is_clean", True),
    "reconcile.reconcile": (200, "next_cursor", None),
    "admin.entitlements": (200, "plan", "free"),
    "admin.freeze": (200, "kind", "freeze"),
    "admin.unfreeze": (200, "kind", "unfreeze"),
    "admin.close": (200, "kind", "close"),
    "admin.key": (201, "name", "job runner"),
    "admin.mint_token": (201, "account", "user_1"),
    "admin.revoke": (200, "key_id", "0123456789ab"),
    "account_page.unknown": (404, "code", "not_found"),
}
TEXTS = {
    "account.entries_csv": "seq,at,kind",
    "admin.keys": "job runner",
    "admin.codes": "WELCOME",
    "account_page.page": "<!doctype html>",
    "account_page.operator": "<!doctype html>",
    "account_page.file": "--tollkeeper-accent",
}


def read_event(name: str) -> dict[str, Any]:
    """The event in that file."""
    event: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return event


def replay(name: str) -> Any:
    """What the event's function answers to it."""
    return load(name.partition(".")[0]).handler(read_event(name), FakeContext())


@pytest.fixture
def stack(driver: Driver, stripe: FakeStripe) -> Driver:
    """A stack that knows the key in the events."""
    assert stripe, "nothing goes to the real one"
    adopt_key(gatehouse(), KEY, name="example", scopes=("read", "purchase"))
    return driver


def test_every_function_and_every_route_has_an_event() -> None:
    functions = {name.partition(".")[0] for name in FILES}
    routes = {read_event(name).get("routeKey") for name in FILES}

    assert functions == {route.function for route in ROUTES.values()} | set(NOT_HTTP)
    assert set(ROUTES) <= routes


def test_the_table_here_has_every_event_of_its_functions() -> None:
    mine = {
        name
        for name in FILES
        if name.partition(".")[0] not in (*NOT_HTTP, *PAYMENTS) and "routeKey" in read_event(name)
    }

    assert mine == set(REPLAYED) | set(TEXTS)


def test_events_are_answered_as_the_table_says(stack: Driver) -> None:
    for name, (status, member, value) in REPLAYED.items():
        answer = read_answer(replay(name))

        assert answer.status == status, (name, answer.text)
        shown = answer[member]
        assert (shown if isinstance(shown, str) or shown is None else float(shown)) == value, name
    for name, text in TEXTS.items():
        assert text in read_answer(replay(name)).text, name


@pytest.mark.parametrize("name", [name for name in FILES if "routeKey" in read_event(name)])
def test_an_event_is_shaped_as_api_gateway_sends_it(name: str) -> None:
    event = read_event(name)
    method, path = event["routeKey"].split(" ")
    for parameter, value in event.get("pathParameters", {}).items():
        path = path.replace("{" + parameter + "}", value).replace("{" + parameter + "+}", value)
    context = event["requestContext"]

    assert (event["version"], event["rawPath"]) == ("2.0", path)
    assert (context["http"]["method"], context["http"]["path"]) == (method, path)
    assert context["routeKey"] == event["routeKey"]
    moment = datetime.strptime(context["time"], "%d/%b/%Y:%H:%M:%S %z")
    assert moment == datetime.fromtimestamp(context["timeEpoch"] / 1000, UTC)
    assert all(header == header.lower() for header in event["headers"])
    if not event.get("isBase64Encoded"):
        size = len(event.get("body", "").encode())
        assert event["headers"]["content-length"] == str(size)
    function = name.partition(".")[0]
    assert function == "authorizer" or ROUTES[event["routeKey"]].function == function


def test_the_authorizers_events_are_allowed_and_denied(stack: Driver) -> None:
    assert replay("authorizer.allowed") == {
        "isAuthorized": True,
        "context": {
            "principal": "service:0123456789ab",
            "scopes": "purchase read",
            "expires_at": "",
            "account": "",
        },
    }
    for name in ("authorizer.forged", "authorizer.without_scope"):
        assert replay(name) == {"isAuthorized": False, "context": {}}
    assert len([name for name in FILES if name.startswith("authorizer.")]) == 3


def test_the_schedules_events_sweep(stack: Driver) -> None:
    stack.deduct("user_1", "sms", "k1")
    stack.clock.forward(days=30)

    some, everything = replay("period_reset.some_shards"), replay("period_reset.schedule")

    assert some["rolled"] + everything["rolled"] == 1
    assert everything["is_finished"] is True
    assert len([name for name in FILES if name.startswith("period_reset.")]) == 2


def test_the_schedules_event_folds(stack: Driver) -> None:
    stack.deduct("user_1", "sms", "k1")
    stack.clock.forward(days=1)
    replay("period_reset.schedule")

    folded = replay("report.schedule")

    assert (folded["days"], folded["accounts"], folded["is_finished"]) == (3, 1, True)
    assert len([name for name in FILES if name.startswith("report.")]) == 1


def test_what_asks_for_a_top_up_is_looked_into(stack: Driver) -> None:
    for name in ("top_up.due", "top_up.refused"):
        assert replay(name) == {"account": "user_1", "outcome": "no_rule"}

    assert replay("top_up.schedule") == {"looked": 0, "busy": 0, "broken": 0, "left": False}
    assert len([name for name in FILES if name.startswith("top_up.")]) == 3


def test_the_schedules_events_reconcile(stack: Driver) -> None:
    hourly, daily = replay("reconcile.hourly"), replay("reconcile.daily")

    assert hourly == daily == {"seen": 0, "healed": 0, "differs": 0, "is_finished": False}
    assert stack.requests == 0
    assert len([name for name in FILES if name.startswith("reconcile.")]) == 3


def test_the_schedules_events_verify(stack: Driver) -> None:
    for number in range(200):
        stack.grant(f"user_{number}", 1)

    named, mine = replay("verify.some_accounts"), replay("verify.schedule")

    assert (named["accounts"], named["findings"], named["is_finished"]) == (2, 0, True)
    assert 0 < mine["accounts"] < 20
    assert len([name for name in FILES if name.startswith("verify.")]) == 3
