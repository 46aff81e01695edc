"""A refusal's event: what it says, that it is as the schema describes, and what it never does."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tollkeeper.domain.errors import (
    AccountClosedError,
    AccountFrozenError,
    FeatureLimitError,
    HoldLimitError,
    InsufficientCreditsError,
    InvalidError,
    LimitReachedError,
    MalformedError,
    Position,
    TollkeeperError,
)
from tollkeeper.domain.events import Event, EventType
from tollkeeper.edge.bus import HASTE, SOURCE
from tollkeeper.edge.http import Request
from tollkeeper.edge.problems import PROBLEMS, REFUSALS, describe
from tollkeeper.edge.refusals import LONGEST_TEXT, TELLING, refusal_of
from tollkeeper.edge.routes import ROUTES

ROOT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = json.loads((ROOT / "docs/events.schema.json").read_text(encoding="utf-8"))
DESCRIBED: dict[str, Any] = SCHEMA["$defs"]["spend.refused"]
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA)
NOW = datetime(2026, 11, 20, 12, 0, 0, 812_000, tzinfo=UTC)
CREDIT = 1_000_000
POSITION = Position(12 * CREDIT, -500_000, 4_500_000, held_microcredits=CREDIT, level="budget")
RUN: dict[str, Any] = {"account": "user_1", "operation": "ai_tokens", "model": "gpt-4"}
CHECK = "POST /v1/check"

ERRORS: dict[str, TollkeeperError] = {
    "insufficient_credits": InsufficientCreditsError("poor", POSITION),
    "limit_reached": LimitReachedError(
        "full",
        POSITION,
        blocking="daily_limit",
        limit_microcredits=50 * CREDIT,
        spent_microcredits=40 * CREDIT,
    ),
    "feature_limit": FeatureLimitError(
        "used", POSITION, feature="chats", used=3, limit=3, resets_at=None
    ),
    "hold_limit": HoldLimitError("many"),
    "account_frozen": AccountFrozenError("frozen"),
    "account_closed": AccountClosedError("closed"),
}
POOR = ERRORS["insufficient_credits"]


def tell(
    error: TollkeeperError,
    body: object = RUN,
    *,
    route: str = CHECK,
    path: dict[str, str] | None = None,
) -> Event:
    """The event of a request with that body, which was refused so."""
    raw = body if isinstance(body, str) else json.dumps(body)
    scope = ROUTES[route].scope if route in ROUTES else ""
    caller = {"lambda": {"principal": "service:x", "scopes": scope}}
    event = {"routeKey": route, "pathParameters": path, "body": raw}
    event |= {"requestContext": {"authorizer": caller}}
    return refusal_of(Request(event, NOW), describe(error, "JKJaXmPLvHcESHA=")[1])


def problems(event: Event) -> list[str]:
    received = {"detail-type": event.type.value, "source": SOURCE, "detail": dict(event.detail)}
    return [error.message for error in VALIDATOR.iter_errors(received)]


class TestDetail:
    def test_a_limit_is_told_with_what_ran_and_every_amount(self) -> None:
        event = tell(ERRORS["limit_reached"])

        assert (event.id, event.type, event.at) == (
            "JKJaXmPLvHcESHA=",
            EventType.SPEND_REFUSED,
            NOW,
        )
        assert event.detail == {
            "id": "JKJaXmPLvHcESHA=",
            "account": "user_1",
            "route": CHECK,
            "operation": "ai_tokens",
            "model": "gpt-4",
            "code": "limit_reached",
            "blocking": "daily_limit",
            "level": "budget",
            "required": "12",
            "available": "-0.5",
            "spendable": "4.5",
            "held": "1",
            "shortfall": "2",
            "limit": "50",
            "at": "2026-11-20T12:00:00.812Z",
        }

    def test_what_has_no_amounts_is_told_without_them(self) -> None:
        for code in ("hold_limit", "account_frozen", "account_closed"):
            detail = tell(ERRORS[code]).detail

            assert set(detail) == {"id", "account", "route", "operation", "model", "code", "at"}

    def test_a_features_limit_is_its_count(self) -> None:
        assert tell(ERRORS["feature_limit"]).detail["limit"] == "3"

    def test_the_account_and_the_budget_of_a_path_are_told(self) -> None:
        fund, close = (
            "POST /v1/accounts/{id}/budgets",
            "POST /v1/accounts/{id}/budgets/{budget}/close",
        )
        funded = tell(POOR, {"budget": "run_9", "amount": 5}, route=fund, path={"id": "user_1"})
        path = {"id": "user_1", "budget": "run_9"}
        closed = tell(ERRORS["account_closed"], "", route=close, path=path)

        told = [(event.detail["account"], event.detail["budget"]) for event in (funded, closed)]
        assert told == [("user_1", "run_9")] * 2

    def test_the_model_is_the_one_that_the_providers_answer_names(self) -> None:
        body = {"account": "user_1", "operation": "ai_tokens", "usage": {"model": "gpt-4o"}}

        assert tell(POOR, body).detail["model"] == "gpt-4o"
        assert tell(POOR, {**body, "model": "gpt-4"}).detail["model"] == "gpt-4"

    def test_nothing_else_of_the_request_is_told(self) -> None:
        body = {**RUN, "metadata": {"prompt": "a secret"}, "quote_id": "a secret"}

        assert "secret" not in json.dumps(dict(tell(POOR, body).detail))

    @pytest.mark.parametrize("odd", [7, None, ["a"], {"a": 1}, "", True])
    def test_members_that_are_no_texts_are_left_out(self, odd: object) -> None:
        detail = tell(POOR, {"account": "user_1", "operation": odd, "model": odd}).detail

        assert "operation" not in detail and "model" not in detail

    def test_a_text_is_cut_where_no_name_is_so_long(self) -> None:
        assert len(str(tell(POOR, {**RUN, "model": "m" * 60_000}).detail["model"])) == LONGEST_TEXT

    @pytest.mark.parametrize(
        "body", ["", "{", "[]", '{"account":"a","account":"b"}', '{"account":7}', '{"account":"ä"}']
    )
    def test_a_request_that_names_no_account_tells_nothing(self, body: str) -> None:
        with pytest.raises((InvalidError, MalformedError)):
            tell(POOR, body)


class TestSchema:
    @pytest.mark.parametrize("code", sorted(REFUSALS))
    def test_every_refusal_is_as_it_says(self, code: str) -> None:
        assert problems(tell(ERRORS[code])) == []

    def test_it_names_every_member_and_no_other(self) -> None:
        path = {"id": "user_1", "budget": "run_9"}
        told = [tell(error, path=path).detail for error in ERRORS.values()]

        assert {name for detail in told for name in detail} == set(DESCRIBED["properties"])
        assert all(set(DESCRIBED["required"]) <= set(detail) for detail in told)

    def test_it_names_every_code_that_is_told(self) -> None:
        assert set(DESCRIBED["properties"]["code"]["enum"]) == REFUSALS == set(ERRORS)
        assert set(PROBLEMS) > REFUSALS

    @pytest.mark.parametrize("wrong", [{"code": "busy"}, {"required": 12}, {"level": "plan"}])
    def test_it_finds_what_is_wrong(self, wrong: dict[str, object]) -> None:
        event = tell(POOR)

        assert problems(Event(event.id, event.type, event.at, {**event.detail, **wrong}))


def test_the_functions_that_tell_are_those_around_a_run() -> None:
    scopes = {route.scope for route in ROUTES.values() if route.function in TELLING}

    assert scopes == {"check", "deduct"}
    assert {r.function for r in ROUTES.values() if r.scope in scopes} == TELLING


def test_an_event_is_tried_once_and_for_less_than_a_second() -> None:
    # Why: botocore adds its mode to these retries where a client was made with them.
    haste: Any = HASTE

    assert haste.retries["total_max_attempts"] == 1
    assert (haste.connect_timeout, haste.read_timeout) == (0.3, 0.5)


@pytest.mark.parametrize("function", sorted(TELLING))
def test_a_function_that_refuses_nothing_loads_no_bus(function: str) -> None:
    code = (
        f"import sys, functions.{function}.handler\n"
        "loaded = [m for m in ('bus', 'refusals') if 'tollkeeper.edge.' + m in sys.modules]\n"
        "sys.exit(' '.join(loaded) or 0)"
    )

    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
