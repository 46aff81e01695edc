"""Amounts are exact, and every refusal has its type."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

import tollkeeper_client
from tollkeeper.edge.problems import PROBLEMS
from tollkeeper_client import (
    ApiError,
    BusyError,
    ForbiddenError,
    HoldClosedError,
    InsufficientCreditsError,
    InvalidAmountError,
    InvalidArgumentError,
    LimitReachedError,
    ServerError,
    ThrottledError,
    TollkeeperClientError,
    UnauthorizedError,
    UnavailableError,
)
from tollkeeper_client.amounts import read_json, write_amount, write_json
from tollkeeper_client.calls import deduct
from tollkeeper_client.problems import read_problem

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def problem(status: int, members: dict[str, Any], **headers: str) -> ApiError:
    return read_problem(status, headers, json.dumps(members).encode(), now=NOW)


@pytest.mark.parametrize(
    ("given", "sent"),
    [(5, "5"), ("0.5", "0.5"), (Decimal("1E+3"), "1000"), (Decimal("0.000001"), "0.000001")],
)
def test_amounts_are_sent_as_they_were_given(given: Any, sent: str) -> None:
    assert write_amount(given, "amount") == sent


@pytest.mark.parametrize("given", [0.5, True, None, "half", Decimal("NaN"), "1e999999", b"1"])
def test_what_is_no_exact_amount_is_refused_before_anything_is_sent(given: Any) -> None:
    with pytest.raises(InvalidAmountError):
        write_amount(given, "amount")


def test_numbers_are_read_and_written_without_a_float() -> None:
    read = read_json('{"a": 0.1, "b": 12345678901234567890, "c": 0.1000000000000000055511151231}')

    assert read == {
        "a": Decimal("0.1"),
        "b": 12345678901234567890,
        "c": Decimal("0.1000000000000000055511151231"),
    }
    assert read_json(write_json(read)) == read


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1: 2}, {"a": {1, 2}}])
def test_what_json_has_not_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        write_json(value)


def test_a_moment_without_an_offset_is_refused() -> None:
    naive = datetime(2026, 11, 21)  # noqa: DTZ001 - the mistake that this test is about.

    with pytest.raises(InvalidArgumentError):
        deduct("user_1", "sms", key="k", occurred_at=naive)


def test_every_code_of_the_api_has_a_type_of_its_status() -> None:
    for code, kind in PROBLEMS.items():
        error = problem(kind.status, {"code": code, "detail": "why"})

        assert type(error) is not ApiError, code
        assert (error.status, error.code, error.detail) == (kind.status, code, "why")
        assert isinstance(error, TollkeeperClientError)


def test_every_error_of_the_package_has_one_root() -> None:
    errors = [
        each
        for each in vars(tollkeeper_client).values()
        if isinstance(each, type) and issubclass(each, BaseException)
    ]

    assert len(errors) > 30
    assert all(issubclass(each, TollkeeperClientError) for each in errors)


def test_a_shortage_says_what_would_help() -> None:
    error = problem(
        402,
        {
            "code": "limit_reached",
            "detail": "gpt-4 needs 120 credits",
            "required": 120,
            "available": "7.5",
            "spendable": 7.5,
            "held": 2,
            "shortfall": 112.5,
            "blocking": "daily_limit",
            "level": "budget",
            "limit": 20,
            "spent": 12.25,
            "resets_at": "2026-12-01T00:00:00+01:00",
            "offers": [{"pack": "pro", "credits": 500}],
            "plans": [{"plan": "pro"}],
            "affordable": {"tokens_total": 133, "models": ["gpt-3.5"]},
            "request_id": "r1",
        },
    )

    assert isinstance(error, LimitReachedError)
    assert isinstance(error, InsufficientCreditsError)
    assert (error.required, error.spendable, error.shortfall) == (
        120,
        Decimal("7.5"),
        Decimal("112.5"),
    )
    assert (error.blocking, error.level, error.limit, error.spent) == (
        "daily_limit",
        "budget",
        20,
        Decimal("12.25"),
    )
    assert error.resets_at is not None
    assert error.resets_at.utcoffset() == timedelta(hours=1)
    assert error.offers[0]["pack"] == "pro"
    assert error.plans[0]["plan"] == "pro"
    assert error.affordable["models"] == ["gpt-3.5"]
    assert str(error) == "gpt-4 needs 120 credits (402 limit_reached) [request r1]"


def test_a_closed_hold_says_its_state() -> None:
    error = problem(409, {"code": "hold_closed", "state": "released"})

    assert isinstance(error, HoldClosedError)
    assert error.state == "released"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, UnauthorizedError), (403, ForbiddenError), (429, ThrottledError), (503, BusyError)],
)
def test_the_gateways_own_answers_have_types_too(status: int, kind: type[ApiError]) -> None:
    error = problem(status, {"message": "Words"}, **{"apigw-requestid": "abc"})

    assert type(error) is kind
    assert (error.detail, error.request_id) == ("Words", "abc")


@pytest.mark.parametrize("body", [b"", b"<html>no</html>", b"[1]", b'{"code": 7}', b"\xff\xfe"])
def test_what_is_no_problem_is_still_an_error_of_its_status(body: bytes) -> None:
    assert type(read_problem(502, {}, body, now=NOW)) is BusyError
    assert type(read_problem(500, {}, body, now=NOW)) is ServerError
    assert type(read_problem(418, {}, body, now=NOW)) is ApiError


def test_a_code_never_changes_what_the_status_says() -> None:
    error = problem(401, {"code": "insufficient_credits"})

    assert type(error) is UnauthorizedError


def test_an_unknown_code_keeps_its_status() -> None:
    assert type(problem(402, {"code": "a_new_one"})) is InsufficientCreditsError


def test_out_of_reach_is_one_family() -> None:
    assert isinstance(problem(503, {"code": "busy"}), UnavailableError)
    assert not isinstance(problem(500, {"code": "internal"}), UnavailableError)


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("2", 2.0),
        ("Sat, 21 Nov 2026 12:00:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(header: str, wait_s: float | None) -> None:
    assert problem(503, {}, **{"retry-after": header}).retry_after_s == wait_s
