"""Promo codes: who may redeem one, and what it gives."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.building import ACCOUNT, NOON, ONE, a_key, an_account, draft_of
from tollkeeper.domain.account import Account, Status
from tollkeeper.domain.codes import (
    CodeMoved,
    CodeRedeemed,
    PromoCode,
    Redeem,
    decide_redemption,
    parse_code,
    redeemer_digest,
    refuse_code,
)
from tollkeeper.domain.entries import EntryKind
from tollkeeper.domain.errors import (
    AccountClosedError,
    AccountFrozenError,
    CodeExhaustedError,
    CodeExpiredError,
    CodeNotForPlanError,
    InvalidError,
    TollkeeperError,
    UnknownCodeError,
)
from tollkeeper.domain.grants import GrantKind

CODE = PromoCode("WELCOME", 5 * ONE, NOON, reason="launch", version=3, redemptions=2)
FREE = an_account("free")


def a_code(**changes: Any) -> PromoCode:
    """The code with these members changed."""
    return replace(CODE, **changes)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("welcome", "WELCOME"),
        (" Wel-Come-25 ", "WEL-COME-25"),
        ("A1-", "A1-"),
        ("x" * 40, "X" * 40),
    ],
)
def test_the_case_of_a_code_does_not_matter(text: str, code: str) -> None:
    assert parse_code(text) == code


@pytest.mark.parametrize("text", ["", "AB", "x" * 41, "a b c", "a_b_c", "äöü", "a#bc", "ABC\n!", 5])
def test_what_is_no_code_is_refused(text: object) -> None:
    with pytest.raises(InvalidError):
        parse_code(text)


REFUSED: list[tuple[str, PromoCode | None, Account, type[TollkeeperError]]] = [
    ("there is none", None, FREE, UnknownCodeError),
    ("ended", a_code(is_active=False), FREE, CodeExpiredError),
    ("past its end", a_code(expires_at=NOON), FREE, CodeExpiredError),
    ("used up", a_code(most_redemptions=2), FREE, CodeExhaustedError),
    ("for others", a_code(plans=("pro", "team")), FREE, CodeNotForPlanError),
    ("a budget", CODE, replace(FREE, parent="user_2"), InvalidError),
    ("frozen", CODE, replace(FREE, status=Status.FROZEN), AccountFrozenError),
    ("closed", CODE, replace(FREE, status=Status.CLOSED), AccountClosedError),
]


@pytest.mark.parametrize(("why", "code", "account", "error"), REFUSED)
def test_a_code_is_refused_for_one_reason(
    why: str, code: PromoCode | None, account: Account, error: type[TollkeeperError]
) -> None:
    with pytest.raises(error):
        refuse_code(code, account, NOON)


@pytest.mark.parametrize(
    "code",
    [
        CODE,
        a_code(expires_at=NOON + timedelta(milliseconds=1)),
        a_code(most_redemptions=3),
        a_code(plans=("free", "pro")),
    ],
)
def test_a_code_is_good_up_to_its_bounds(code: PromoCode) -> None:
    assert refuse_code(code, FREE, NOON) == code


def test_redeeming_gives_the_credits_counts_once_and_leaves_a_mark() -> None:
    command = Redeem(key=a_key(), request_hash="h", reason="", actor="key_1", code="WELCOME")

    decision = decide_redemption(draft_of(FREE), command, a_code(grant_days=30))

    row = decision.answer
    assert row is not None and row.grant is not None
    assert (row.kind, row.delta_microcredits, row.reason) == (EntryKind.GRANT, 5 * ONE, "launch")
    assert row.grant.kind is GrantKind.PROMO
    assert row.grant.expires_at == NOON + timedelta(days=30)
    assert (row.details["code"], row.actor, row.request_hash) == ("WELCOME", "key_1", "h")
    moved, mark = decision.also
    assert isinstance(moved, CodeMoved) and isinstance(mark, CodeRedeemed)
    assert (moved.code.redemptions, moved.code.version) == (3, 4)
    assert (mark.code, mark.digest, mark.at) == ("WELCOME", redeemer_digest(ACCOUNT), NOON)


def test_a_mark_does_not_name_its_account() -> None:
    assert ACCOUNT not in redeemer_digest(ACCOUNT)
