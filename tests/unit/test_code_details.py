"""Promo codes: what a refusal says, which refusal comes first, and what is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

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
from tollkeeper.domain.errors import CodeExpiredError, InvalidError, TollkeeperError

CODE = PromoCode("WELCOME", 5 * ONE, NOON)
FREE = an_account("free")
COMMAND = Redeem(a_key(), "h", "", "key_1", code="WELCOME")

REFUSED: list[tuple[PromoCode | None, Account, str]] = [
    (None, replace(FREE, status=Status.CLOSED), "There is no such code."),
    (CODE, replace(FREE, status=Status.CLOSED), "The account user_1 is closed for good."),
    (CODE, replace(FREE, status=Status.FROZEN), "The account user_1 is frozen."),
    (
        replace(CODE, is_active=False),
        replace(FREE, parent="user_2"),
        "id is a budget; redeem the code for the account that funds it",
    ),
    (
        replace(CODE, is_active=False, most_redemptions=0),
        FREE,
        "The code WELCOME is not valid any more.",
    ),
    (
        replace(CODE, most_redemptions=2, redemptions=3, plans=("pro",)),
        FREE,
        "The code WELCOME was redeemed as often as it may be.",
    ),
    (
        replace(CODE, plans=("pro", "team")),
        FREE,
        "The code WELCOME is for other plans: pro, team.",
    ),
]


@pytest.mark.parametrize(("code", "account", "why"), REFUSED, ids=[row[2] for row in REFUSED])
def test_a_refusal_says_the_first_thing_that_is_in_the_way(
    code: PromoCode | None, account: Account, why: str
) -> None:
    with pytest.raises(TollkeeperError) as refused:
        refuse_code(code, account, NOON)

    assert refused.value.detail == why


def test_a_text_that_is_no_code_is_refused_by_the_name_of_its_member() -> None:
    with pytest.raises(InvalidError) as one:
        parse_code("AB")
    with pytest.raises(InvalidError) as other:
        parse_code(None, "codes[0]")

    why = "must be 3 to 40 of A-Z 0-9 and -"
    assert one.value.problems == (("code", why),)
    assert other.value.problems == (("codes[0]", why),)


def test_what_a_code_writes_is_counted_from_the_version_that_was_read() -> None:
    code = replace(CODE, version=3, redemptions=2)

    decision = decide_redemption(draft_of(FREE), COMMAND, code)

    assert decision.also == (
        CodeMoved(replace(code, version=4, redemptions=3)),
        CodeRedeemed("WELCOME", redeemer_digest(ACCOUNT), NOON),
    )


def test_credits_of_a_code_without_days_or_a_reason_never_end_and_name_the_code() -> None:
    row = decide_redemption(draft_of(FREE), COMMAND, CODE).answer

    assert row is not None and row.grant is not None
    assert (row.key, row.reason, row.details) == ("c#k1", "code WELCOME", {"code": "WELCOME"})
    assert row.grant.expires_at is None


def test_a_code_is_redeemed_until_its_end_and_not_at_it() -> None:
    ending = replace(CODE, expires_at=NOON + timedelta(days=1))
    at_last = draft_of(FREE, NOON + timedelta(days=1) - timedelta(milliseconds=1))

    assert decide_redemption(at_last, COMMAND, ending).answer is not None
    with pytest.raises(CodeExpiredError):
        decide_redemption(draft_of(FREE, NOON + timedelta(days=1)), COMMAND, ending)


def test_credits_end_days_after_the_code_was_redeemed() -> None:
    later = NOON + timedelta(days=3)

    row = decide_redemption(draft_of(FREE, later), COMMAND, replace(CODE, grant_days=1)).answer

    assert row is not None and row.grant is not None
    assert row.grant.expires_at == later + timedelta(days=1)


def test_a_mark_names_its_account_by_the_same_digest_for_ever() -> None:
    assert redeemer_digest(ACCOUNT) == (
        "79b0aa0042b3c05617c378046a6553ec2cd81e9995959a6012f9b497a18ec82b"
    )
