"""How an answer of the handlers is held against the model's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.support.driving import Answered

from .amounts import plain
from .customers import Told
from .stack import Attempt

KNOWN = ("low_balance", "total_only", "zero_provider_cost", "tier_not_priced")


def check_answer(attempt: Attempt, told: Told) -> None:
    """The answer is the model's: status, code, members and headers."""
    answer = attempt.answer
    assert answer is not None
    body: dict[str, Any] = dict(answer.body)
    if told.codes and "code" in body:
        told = choose(told, body)
    assert answer.status == told.status, (answer.status, answer.text, told)
    if "warnings" in told.body:
        body["warnings"] = codes_of(body["warnings"])
        told = replace(told, body=told.body | {"warnings": sorted(told.body["warnings"])})
    if "affordable" in told.body and "tokens_output" not in told.body["affordable"]:
        body["affordable"] = {k: v for k, v in body["affordable"].items() if k != "tokens_output"}
    if body.get("breakdown") and "charged" in body:
        asked = body["charged"] + body.get("uncollected", 0)
        assert sum(line["credits"] for line in body["breakdown"]) == asked, "the lines add up"
    if "breakdown" in told.body:
        _check_breakdown(body.pop("breakdown"), told.body["breakdown"])
    assert_members(body, {k: v for k, v in told.body.items() if k != "breakdown"})
    _check_headers(answer, told, attempt)


def choose(told: Told, body: dict[str, Any]) -> Told:
    """Of the refusals that are right the one that was answered."""
    for each in (told, *told.others):
        if body["code"] in each.codes and each.body.get("blocking") == body.get("blocking"):
            return each
        if body["code"] in each.codes and "blocking" not in each.body:
            return each
    raise AssertionError((body, told))


def codes_of(warnings: list[dict[str, Any]]) -> list[str]:
    """The warnings of which the model knows."""
    return sorted(each["code"] for each in warnings if each["code"] in KNOWN)


def _check_breakdown(found: list[dict[str, Any]], told: list[dict[str, Any]]) -> None:
    assert len(found) == len(told)
    for line, expected in zip(found, told, strict=True):
        assert_members(line, expected)


def _check_headers(answer: Answered, told: Told, attempt: Attempt) -> None:
    is_replay = answer.headers.get("idempotency-replayed") == "true"
    assert is_replay == told.is_replay or (attempt.was_struck and is_replay)
    balance = answer.headers.get("x-credits-available")
    has_balance = told.status < 300 and "seq" in told.body and not is_replay
    if has_balance:
        amount = plain(int(told.body["available"].scaleb(6)))
        assert balance == f"{amount};seq={told.body['seq']}"
    else:
        assert balance is None


def assert_rows(found: list[dict[str, Any]], told: list[dict[str, Any]]) -> None:
    """The rows are the model's, one by one."""
    for row, expected in zip(found, told, strict=False):
        assert_members(row, expected)
    assert len(found) == len(told), (found[len(told) :], told[len(found) :])


def assert_members(found: dict[str, Any], told: dict[str, Any]) -> None:
    """Each member that the model speaks of is there and the same."""
    wrong = {
        name: (found.get(name, "missing"), value)
        for name, value in told.items()
        if name not in found or found[name] != value
    }
    assert not wrong, f"answered, expected: {wrong}"
