"""Top-ups as whole values: what is bought, what each end leaves, and when there is a look."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unit.building import ACCOUNT, CATALOG, NOON, ONE, an_account
from tollkeeper.domain.billing import (
    MOST_CLEARED,
    MOST_DISPUTED,
    Billing,
    TopUpRule,
    TopUpState,
    next_version,
    with_dispute,
    with_disputes_cleared,
    with_payer,
)
from tollkeeper.domain.entries import EntryKey
from tollkeeper.domain.purchases import Purchase, PurchaseKind, PurchaseStatus, purchase_id_of
from tollkeeper.domain.top_ups import (
    AFTER_FAILURE,
    AFTER_SUCCESS,
    FORGOTTEN_AFTER,
    LOOK_AFTER,
    REPEAT_FOR,
    Attempt,
    Hindrance,
    cool_until,
    decide_top_up,
    find_hindrance,
    look_again_at,
    month_of,
    settle_top_up,
    with_rule,
)

RULE = TopUpRule("small", 20 * ONE, most_purchases=3, price_minor=1000, currency="usd")
READY = Billing(
    ACCOUNT,
    version=4,
    customer="cus_1",
    card="pm_1",
    cleared=("pur_8",),
    top_up=RULE,
    state=TopUpState(attempt=6, month="2026-11", purchases=1, spent_minor=500, lacks_card=True),
)
LOW = an_account("free")
LATER = NOON + timedelta(minutes=5)
ID = purchase_id_of(ACCOUNT, EntryKey("s#top_up:7"))
PURCHASE = Purchase(
    ID,
    ACCOUNT,
    "small",
    "Small",
    100 * ONE,
    1000,
    "usd",
    created_at=NOON,
    kind=PurchaseKind.TOP_UP,
    customer="cus_1",
)
WAITING = TopUpState(
    attempt=7,
    pending=ID,
    pending_since=NOON,
    card="pm_1",
    month="2026-11",
    purchases=2,
    spent_minor=1500,
    next_at=NOON + LOOK_AFTER,
    lacks_card=True,
)
ENDED = replace(WAITING, pending="", pending_since=None, card="", last_at=LATER, next_at=None)


def with_state(**changes: Any) -> Billing:
    """The billing in another state."""
    return replace(READY, state=replace(READY.state, **changes))


def settled(status: PurchaseStatus, reason: str = "expired_card", **changes: Any) -> Billing:
    """The billing after the purchase that was under way ended so."""
    billing = replace(READY, state=replace(WAITING, **changes))
    return settle_top_up(billing, replace(PURCHASE, status=status), LATER, reason=reason)


# ---- What is bought


def test_what_is_bought_is_counted_and_under_way_before_it_is_paid() -> None:
    assert decide_top_up(READY, LOW, CATALOG, NOON) == Attempt(
        PURCHASE, replace(READY, version=5, state=WAITING)
    )


def test_a_new_month_begins_to_count_with_this_purchase() -> None:
    december = datetime(2026, 12, 1, tzinfo=UTC)

    attempt = decide_top_up(READY, LOW, CATALOG, december)

    assert isinstance(attempt, Attempt)
    state = attempt.billing.state
    assert (state.month, state.purchases, state.spent_minor) == ("2026-12", 1, 1000)


@pytest.mark.parametrize(
    ("changes", "hindrance"),
    [
        ({"is_on": False}, Hindrance.OFF),
        ({}, Hindrance.PENDING),
    ],
)
def test_of_several_reasons_the_first_is_told(
    changes: dict[str, Any], hindrance: Hindrance
) -> None:
    everything = replace(
        with_state(pending="pur_1"),
        top_up=replace(RULE, **changes),
        customer="",
        disputed=("pur_9",),
    )

    assert find_hindrance(everything, replace(LOW, parent="team"), CATALOG, NOON) is hindrance


def test_a_rule_that_nothing_hinders_has_no_hindrance() -> None:
    assert find_hindrance(READY, LOW, CATALOG, NOON) is None
    one_left = replace(with_state(purchases=2), top_up=RULE)
    assert find_hindrance(one_left, LOW, CATALOG, NOON) is None


def test_a_dearer_pack_is_not_bought_though_its_currency_is_right() -> None:
    agreed = replace(READY, top_up=replace(RULE, price_minor=999))
    other = replace(READY, top_up=replace(RULE, price_minor=5000, currency="eur"))

    assert find_hindrance(agreed, LOW, CATALOG, NOON) is Hindrance.PRICE_CHANGED
    assert find_hindrance(other, LOW, CATALOG, NOON) is Hindrance.PRICE_CHANGED


def test_no_bound_on_money_is_none_however_much_was_spent() -> None:
    assert find_hindrance(with_state(spent_minor=10**9), LOW, CATALOG, NOON) is None


def test_the_month_is_written_with_its_year() -> None:
    assert month_of(LOW, NOON) == "2026-11"


# ---- When there is a look


def test_how_long_a_card_rests_depends_on_how_often_it_failed_in_a_row() -> None:
    rests = [cool_until(TopUpState(last_at=NOON, failures=n)) for n in range(5)]

    hour, six = NOON + timedelta(hours=1), NOON + timedelta(hours=6)
    assert rests == [NOON + timedelta(seconds=60), hour, six, six, six]
    assert cool_until(TopUpState(failures=2)) is None
    assert (timedelta(seconds=60), timedelta(minutes=2)) == (AFTER_SUCCESS, LOOK_AFTER)
    assert (timedelta(hours=1), timedelta(hours=6)) == AFTER_FAILURE
    assert (timedelta(hours=23), timedelta(hours=25)) == (REPEAT_FOR, FORGOTTEN_AFTER)


@pytest.mark.parametrize("hindrance", [Hindrance.MOST_PURCHASES, Hindrance.MOST_MONEY])
def test_a_full_month_is_looked_at_when_the_next_one_begins_in_the_accounts_zone(
    hindrance: Hindrance,
) -> None:
    tokyo = replace(LOW, zone="Asia/Tokyo")

    assert look_again_at(WAITING, tokyo, hindrance, NOON) == datetime(2026, 11, 30, 15, tzinfo=UTC)


# ---- What each end leaves


def test_a_paid_one_leaves_a_minute_of_rest_and_no_failure() -> None:
    assert settled(PurchaseStatus.PAID, failures=2, failure="x") == replace(
        READY, version=5, state=replace(ENDED, next_at=LATER + AFTER_SUCCESS)
    )


@pytest.mark.parametrize("status", [PurchaseStatus.FAILED, PurchaseStatus.EXPIRED])
def test_a_failed_one_leaves_a_failure_and_no_card(status: PurchaseStatus) -> None:
    failed = replace(ENDED, failures=1, failure="expired_card", purchases=1, spent_minor=500)

    assert settled(status) == replace(
        READY, version=5, card="", state=replace(failed, next_at=LATER + AFTER_FAILURE[0])
    )
    assert settled(status, failures=1) == replace(
        READY,
        version=5,
        card="",
        state=replace(failed, failures=2, next_at=LATER + AFTER_FAILURE[1]),
    )
    assert settled(status, reason="").state.failure == status.value


def test_the_third_failure_leaves_the_rule_off_and_nothing_to_look_at() -> None:
    assert settled(PurchaseStatus.FAILED, failures=2).state == replace(
        ENDED,
        failures=3,
        failure="expired_card",
        purchases=1,
        spent_minor=500,
        off_reason="failures",
    )


def test_what_a_month_brought_never_falls_below_nothing() -> None:
    """Why: the month may have turned, or the currency changed, since the purchase was counted."""
    state = settled(PurchaseStatus.FAILED, purchases=0, spent_minor=999).state

    assert (state.purchases, state.spent_minor) == (0, 0)


def test_a_quarantined_one_leaves_the_rule_off_and_stays_counted() -> None:
    assert settled(PurchaseStatus.QUARANTINED) == replace(
        READY, version=5, state=replace(ENDED, off_reason="quarantined")
    )


# ---- The rule


def test_a_new_rule_begins_anew_and_is_looked_at_now() -> None:
    failed = with_state(failures=3, failure="x", off_reason="failures", last_at=NOON, next_at=LATER)

    assert with_rule(failed, RULE, NOON) == replace(
        READY, version=5, state=replace(READY.state, last_at=NOON, next_at=NOON)
    )


def test_a_rule_that_is_off_is_looked_at_by_nobody() -> None:
    off = replace(RULE, is_on=False)

    assert with_rule(with_state(next_at=LATER), off, NOON).state.next_at is None


def test_a_first_rule_counts_on_and_another_currency_counts_anew() -> None:
    unruled = replace(READY, top_up=None)

    assert with_rule(unruled, RULE, NOON) == replace(
        READY, version=5, state=replace(READY.state, next_at=NOON)
    )
    assert with_rule(READY, replace(RULE, currency="eur"), NOON).state.purchases == 1


# ---- The card


def test_a_customer_or_a_card_that_is_told_is_known_and_ends_the_lack_of_one() -> None:
    found = replace(READY.state, lacks_card=False)

    assert with_payer(READY, customer="cus_1", card="pm_2") == replace(
        READY, card="pm_2", state=found
    )
    assert with_payer(READY, customer="cus_2", card="") == replace(
        READY, customer="cus_2", card="", state=found
    )
    assert with_payer(READY, customer="cus_1", card="") == READY


# ---- Disputes


def test_a_dispute_that_an_operator_cleared_stays_cleared_until_it_is_won() -> None:
    cleared = with_disputes_cleared(replace(READY, disputed=("pur_9",)))

    assert cleared == replace(READY, disputed=(), cleared=("pur_8", "pur_9"))
    assert with_dispute(cleared, "pur_9", is_disputed=True) == cleared
    assert with_dispute(cleared, "pur_9", is_disputed=False) == READY
    assert with_dispute(READY, "pur_7", is_disputed=True) == replace(READY, disputed=("pur_7",))


def test_what_is_cleared_again_is_listed_once_and_the_newest_of_many_are_kept() -> None:
    twice = replace(READY, disputed=("pur_8", "pur_9"))
    many = tuple(f"pur_{n}" for n in range(100, 100 + MOST_CLEARED))

    assert with_disputes_cleared(twice).cleared == ("pur_8", "pur_9")
    assert with_disputes_cleared(replace(READY, disputed=many)).cleared == many
    assert with_disputes_cleared(replace(READY, cleared=many, disputed=("pur_1",))).cleared == (
        *many[1:],
        "pur_1",
    )


def test_the_last_of_so_many_disputes_is_known_and_can_be_won() -> None:
    many = tuple(f"pur_{n}" for n in range(MOST_DISPUTED - 1))
    almost = replace(READY, disputed=many)

    full = with_dispute(almost, "last", is_disputed=True)

    assert full == replace(READY, disputed=(*many, "last"))
    assert with_dispute(full, "last", is_disputed=True) == full
    assert with_dispute(full, "more", is_disputed=True) == full
    assert with_dispute(full, "last", is_disputed=False) == almost


# ---- Billing


def test_a_rule_tops_up_only_while_it_is_on_and_was_not_turned_off() -> None:
    assert READY.is_topping_up
    assert not replace(READY, top_up=None).is_topping_up
    assert not replace(READY, top_up=replace(RULE, is_on=False)).is_topping_up
    assert not with_state(off_reason="failures").is_topping_up


def test_a_rule_allows_ten_purchases_a_month_unless_it_says_otherwise() -> None:
    assert TopUpRule("small", 1) == TopUpRule("small", 1, 10, None, True, 0, "", "")


def test_the_next_version_is_counted_from_the_one_that_was_read() -> None:
    assert next_version(READY, replace(READY, version=90, card="")) == replace(
        READY, version=5, card=""
    )
