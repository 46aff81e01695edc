"""Refunds that an operator asks for: how much may go back, in how many parts, and once per key."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.building import ACCOUNT, NOON, ONE, a_key
from tollkeeper.domain.errors import (
    IdempotencyMismatchError,
    InvalidError,
    NotRefundableError,
)
from tollkeeper.domain.money_back import Dispute, DisputeState, MoneyBack
from tollkeeper.domain.purchases import Purchase, PurchaseStatus
from tollkeeper.domain.refund_asks import RefundAsk
from tollkeeper.domain.refunding import (
    KEYS_KEPT_FOR,
    MOST_ASKS,
    RefundRequest,
    begin_refund,
    end_refund,
    find_ask,
    left_minor,
    refuse_forgotten,
)

ASK = RefundAsk(a_key("r1"), "h", 0, NOON, "by mail", "service:ops")
PAID = Purchase(
    "pur_1",
    ACCOUNT,
    "large",
    "Large",
    500 * ONE,
    4000,
    "usd",
    created_at=NOON,
    status=PurchaseStatus.PAID,
    version=3,
    payment_intent="pi_1",
)


def asked(minor: int, name: str = "r0", refund: str = "") -> RefundAsk:
    """Another refund that was asked for, and what Stripe made of it."""
    return replace(ASK, key=a_key(name), amount_minor=minor, refund=refund)


def begun(purchase: Purchase = PAID, micro: int | None = None) -> int:
    """How much goes back, in the smallest unit."""
    after, ask = begin_refund(purchase, RefundRequest(micro, "by mail"), ask=ASK)
    assert after == replace(
        purchase, version=purchase.version + 1, refunds=(*purchase.refunds, ask)
    )
    assert ask == replace(ASK, amount_minor=ask.amount_minor)
    return ask.amount_minor


# ---- How much goes back


def test_a_refund_of_no_stated_amount_is_of_all_that_is_left() -> None:
    assert begun() == 4000
    assert begun(replace(PAID, back=MoneyBack(refunded_minor=3999))) == 1
    assert begun(replace(PAID, refunds=(asked(1500),))) == 2500


def test_what_is_left_is_of_what_was_charged_where_that_is_known() -> None:
    taxed = replace(PAID, back=MoneyBack(charged_minor=4760, refunded_minor=760))

    assert left_minor(taxed) == 4000
    assert left_minor(PAID) == 4000


def test_a_refund_that_stripe_made_is_not_counted_beside_what_stripe_tells() -> None:
    made = replace(
        PAID, back=MoneyBack(refunded_minor=1000), refunds=(asked(1000, refund="re_1"), asked(500))
    )

    assert left_minor(made) == 2500


@pytest.mark.parametrize(
    ("currency", "micro", "minor"),
    [("usd", 10_000, 1), ("usd", 40 * ONE, 4000), ("jpy", 3 * ONE, 3), ("kwd", 1000, 1)],
)
def test_an_amount_is_reckoned_in_its_currencys_smallest_unit(
    currency: str, micro: int, minor: int
) -> None:
    assert begun(replace(PAID, currency=currency), micro) == minor


def test_no_more_goes_back_than_is_left() -> None:
    partly = replace(PAID, back=MoneyBack(refunded_minor=1001))

    assert begun(partly, 29_990_000) == 2999
    with pytest.raises(InvalidError) as refused:
        begun(partly, 30 * ONE)
    assert refused.value.problems == (("amount", "must be at most 29.99, which is what is left"),)
    with pytest.raises(InvalidError, match="at most 4000, which"):
        begun(replace(PAID, currency="jpy"), 4001 * ONE)


@pytest.mark.parametrize(
    ("currency", "micro", "digits"),
    [("usd", 1, 2), ("usd", 10_001, 2), ("jpy", 1_500_000, 0), ("kwd", 999, 3), ("usd", 0, 2)],
)
def test_a_part_of_the_smallest_unit_is_refused(currency: str, micro: int, digits: int) -> None:
    with pytest.raises(InvalidError) as refused:
        begun(replace(PAID, currency=currency), micro)

    why = f"must have at most {digits} decimals in {currency}"
    assert refused.value.problems == (("amount", why),)


# ---- What cannot be refunded


HELD = MoneyBack(disputes=(Dispute("dp_1", 100, DisputeState.WITHDRAWN),))
FULL = tuple(asked(1, f"r{n}", refund=f"re_{n}") for n in range(MOST_ASKS))
REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"status": PurchaseStatus.PENDING},
        "Nothing was paid for this purchase that could go back.",
    ),
    (
        {"payment_intent": ""},
        "No payment of it is known here; what was paid goes back at Stripe.",
    ),
    ({"back": HELD}, "A dispute holds the money; what goes back is decided there."),
    ({"refunds": FULL}, "A purchase can be refunded in 20 parts at most."),
    ({"back": MoneyBack(refunded_minor=4000)}, "All of the money went back before."),
    ({"refunds": (asked(4000),)}, "All of the money went back before."),
]


@pytest.mark.parametrize(("changed", "why"), REFUSED, ids=lambda value: str(value)[:30])
def test_what_cannot_go_back_is_refused_and_says_why(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(NotRefundableError) as refused:
        begun(replace(PAID, **changed))

    assert refused.value.detail == why


def test_the_last_part_is_refunded_and_a_dispute_that_was_won_holds_nothing() -> None:
    won = MoneyBack(disputes=(Dispute("dp_1", 100, DisputeState.WON),))

    assert begun(replace(PAID, refunds=FULL[1:], back=won)) == 4000


# ---- Once per key


def test_a_key_finds_what_it_asked_for_and_no_other_key_does() -> None:
    both = replace(PAID, refunds=(asked(1, "r1"), asked(2, "r2")))

    assert find_ask(both, a_key("r2"), "h") == asked(2, "r2")
    assert find_ask(both, a_key("r3"), "h") is None


def test_a_key_that_asked_for_something_else_is_refused() -> None:
    with pytest.raises(IdempotencyMismatchError) as refused:
        find_ask(replace(PAID, refunds=(asked(1, "r1"),)), a_key("r1"), "other")

    assert refused.value.detail == (
        "This key was used before for another refund; nothing was changed."
    )


def test_a_request_is_repeated_as_long_as_stripe_knows_its_key_and_no_longer() -> None:
    refuse_forgotten(ASK, NOON + KEYS_KEPT_FOR)

    with pytest.raises(NotRefundableError) as refused:
        refuse_forgotten(ASK, NOON + KEYS_KEPT_FOR + timedelta(milliseconds=1))
    assert refused.value.detail == (
        "Stripe gave no answer to this refund when it was asked for, and a repeat could pay twice "
        "by now. Look it up at Stripe; what it made is known here by its webhook."
    )
    assert timedelta(hours=23) == KEYS_KEPT_FOR


# ---- Its end


def test_a_refund_that_was_made_is_kept_with_its_id_and_one_that_was_refused_is_not() -> None:
    first, second = asked(1, "r1"), asked(2, "r2")
    both = replace(PAID, refunds=(first, second))

    made = end_refund(both, first, "re_1")
    refused = end_refund(both, first, "")

    assert made == replace(both, version=4, refunds=(second, replace(first, refund="re_1")))
    assert refused == replace(both, version=4, refunds=(second,))
