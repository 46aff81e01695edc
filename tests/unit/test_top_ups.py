"""Top-ups: when a pack is bought without asking, and what its end does to the rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unit.building import ACCOUNT, CATALOG, NOON, ONE, an_account
from tollkeeper.domain.account import Account, Status
from tollkeeper.domain.billing import (
    MOST_DISPUTED,
    Billing,
    TopUpRule,
    TopUpState,
    with_dispute,
    with_payer,
)
from tollkeeper.domain.catalog import Pack
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.purchases import Purchase, PurchaseKind, PurchaseStatus
from tollkeeper.domain.top_ups import (
    AFTER_SUCCESS,
    LOOK_AFTER,
    Attempt,
    Hindrance,
    cool_until,
    decide_top_up,
    find_hindrance,
    look_again_at,
    settle_top_up,
    with_rule,
)

RULE = TopUpRule(
    pack="small", below_microcredits=20 * ONE, most_purchases=3, price_minor=1000, currency="usd"
)
READY = Billing(ACCOUNT, version=4, customer="cus_1", card="pm_1", top_up=RULE)
LOW = an_account("free")
"""An account with 10 credits, which is less than 20."""


def state(**changes: Any) -> Billing:
    """The billing with another state."""
    return replace(READY, state=replace(READY.state, **changes))


def rule(**changes: Any) -> Billing:
    """The billing with another rule."""
    return replace(READY, top_up=replace(RULE, **changes))


def attempted(billing: Billing, now: datetime = NOON, account: Account = LOW) -> Attempt:
    """The purchase that is made now."""
    decided = decide_top_up(billing, account, CATALOG, now)
    assert isinstance(decided, Attempt), decided
    return decided


def under_way() -> tuple[Billing, Purchase]:
    """A billing whose first purchase is under way, and the purchase."""
    attempt = attempted(READY)
    return attempt.billing, attempt.purchase


def test_an_account_below_its_threshold_buys_its_pack() -> None:
    attempt = attempted(READY)

    purchase, after = attempt.purchase, attempt.billing.state
    assert (purchase.kind, purchase.pack, purchase.price_minor) == (
        PurchaseKind.TOP_UP,
        "small",
        1000,
    )
    assert (purchase.account, purchase.customer) == (ACCOUNT, "cus_1")
    assert purchase.credits_microcredits == 100 * ONE
    assert attempt.billing.version == 5
    assert (after.attempt, after.pending, after.pending_since) == (1, purchase.id, NOON)
    assert (after.card, after.month, after.purchases, after.spent_minor) == (
        "pm_1",
        "2026-11",
        1,
        1000,
    )
    assert after.next_at == NOON + LOOK_AFTER


def test_the_same_attempt_is_the_same_purchase_and_the_next_one_another() -> None:
    first, again = attempted(READY), attempted(READY, NOON + timedelta(hours=1))
    second = attempted(state(attempt=1))

    assert first.purchase.id == again.purchase.id != second.purchase.id


MINUTE_AGO = NOON - timedelta(seconds=59)
HINDERED: list[tuple[str, Billing, Account, Hindrance]] = [
    ("no rule", replace(READY, top_up=None), LOW, Hindrance.NO_RULE),
    ("turned off", rule(is_on=False), LOW, Hindrance.OFF),
    ("off by itself", state(off_reason="failures"), LOW, Hindrance.OFF),
    ("one is under way", state(pending="pur_1"), LOW, Hindrance.PENDING),
    ("frozen", READY, replace(LOW, status=Status.FROZEN), Hindrance.NOT_ACTIVE),
    ("closed", READY, replace(LOW, status=Status.CLOSED), Hindrance.NOT_ACTIVE),
    ("a budget", READY, replace(LOW, parent="user_2"), Hindrance.NOT_ACTIVE),
    ("disputed", replace(READY, disputed=("pur_9",)), LOW, Hindrance.DISPUTED),
    ("nobody paid yet", replace(READY, customer=""), LOW, Hindrance.NO_CUSTOMER),
    ("exactly enough", rule(below_microcredits=10 * ONE), LOW, Hindrance.ENOUGH),
    ("no such pack", rule(pack="huge"), LOW, Hindrance.NO_PACK),
    ("dearer than agreed", rule(price_minor=999), LOW, Hindrance.PRICE_CHANGED),
    ("another currency", rule(currency="eur"), LOW, Hindrance.PRICE_CHANGED),
    ("just bought", state(last_at=MINUTE_AGO), LOW, Hindrance.COOLING),
    (
        "failed once",
        state(last_at=NOON - timedelta(minutes=59), failures=1),
        LOW,
        Hindrance.COOLING,
    ),
    ("failed twice", state(last_at=NOON - timedelta(hours=5), failures=2), LOW, Hindrance.COOLING),
    ("three this month", state(month="2026-11", purchases=3), LOW, Hindrance.MOST_PURCHASES),
    (
        "too dear this month",
        replace(state(month="2026-11", spent_minor=1501), top_up=replace(RULE, most_minor=2500)),
        LOW,
        Hindrance.MOST_MONEY,
    ),
]


@pytest.mark.parametrize(("why", "billing", "account", "hindrance"), HINDERED)
def test_nothing_is_bought_where_something_hinders_it(
    why: str, billing: Billing, account: Account, hindrance: Hindrance
) -> None:
    assert decide_top_up(billing, account, CATALOG, NOON) is hindrance, why


FREE: list[tuple[str, Billing]] = [
    ("a micro-credit is missing", rule(below_microcredits=10 * ONE + 1)),
    ("cheaper than agreed", rule(price_minor=1001)),
    ("a minute is over", state(last_at=NOON - AFTER_SUCCESS)),
    ("an hour after a failure", state(last_at=NOON - timedelta(hours=1), failures=1)),
    ("six hours after the second", state(last_at=NOON - timedelta(hours=6), failures=2)),
    ("the month before", state(month="2026-10", purchases=3, spent_minor=9999)),
    (
        "exactly the month's money",
        replace(state(month="2026-11", spent_minor=1500), top_up=replace(RULE, most_minor=2500)),
    ),
    ("a card that is looked up", replace(READY, card="")),
]


@pytest.mark.parametrize(("why", "billing"), FREE)
def test_one_is_bought_as_soon_as_nothing_hinders_it(why: str, billing: Billing) -> None:
    assert find_hindrance(billing, LOW, CATALOG, NOON) is None, why


def test_the_month_is_that_of_the_accounts_zone() -> None:
    new_year = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    berlin = replace(LOW, zone="Europe/Berlin")
    full = state(month="2026-12", purchases=3)

    assert find_hindrance(full, LOW, CATALOG, new_year) is Hindrance.MOST_PURCHASES
    assert find_hindrance(full, berlin, CATALOG, new_year) is None
    assert attempted(full, new_year, berlin).billing.state.month == "2027-01"


def test_a_zone_that_goes_back_to_the_month_before_gives_no_second_month() -> None:
    back = datetime(2026, 12, 1, 3, tzinfo=UTC)
    in_new_york = replace(LOW, zone="America/New_York")

    full = state(month="2026-12", purchases=3)

    assert find_hindrance(full, in_new_york, CATALOG, back) is Hindrance.MOST_PURCHASES


def ended(status: PurchaseStatus, **changes: Any) -> Billing:
    """The billing after the purchase that is under way ended so."""
    billing, purchase = under_way()
    billing = replace(billing, state=replace(billing.state, **changes))
    return settle_top_up(billing, replace(purchase, status=status), NOON, reason="expired_card")


def test_a_purchase_that_is_paid_ends_its_attempt_and_forgets_the_failures() -> None:
    after = ended(PurchaseStatus.PAID, failures=2, failure="x")

    assert (after.state.pending, after.state.failures, after.state.failure) == ("", 0, "")
    assert (after.state.purchases, after.state.spent_minor) == (1, 1000)
    assert after.state.next_at == NOON + AFTER_SUCCESS
    assert after.is_topping_up and after.card == "pm_1"


@pytest.mark.parametrize("status", [PurchaseStatus.FAILED, PurchaseStatus.EXPIRED])
def test_a_purchase_that_failed_counts_as_a_failure_and_not_in_the_month(
    status: PurchaseStatus,
) -> None:
    after = ended(status)

    assert (after.state.failures, after.state.failure) == (1, "expired_card")
    assert (after.state.purchases, after.state.spent_minor) == (0, 0)
    assert after.state.next_at == cool_until(after.state) == NOON + timedelta(hours=1)
    assert after.card == "", "the next card is looked up"


def test_the_third_failure_in_a_row_turns_the_rule_off() -> None:
    after = ended(PurchaseStatus.FAILED, failures=2)

    assert (after.state.failures, after.state.off_reason) == (3, "failures")
    assert not after.is_topping_up and after.state.next_at is None


def test_a_payment_that_is_not_what_was_asked_for_turns_the_rule_off_at_once() -> None:
    after = ended(PurchaseStatus.QUARANTINED)

    assert after.state.off_reason == "quarantined" and after.state.pending == ""


@pytest.mark.parametrize("status", [PurchaseStatus.CREATED, PurchaseStatus.PENDING])
def test_a_purchase_that_is_still_under_way_changes_nothing(status: PurchaseStatus) -> None:
    billing, purchase = under_way()

    assert settle_top_up(billing, replace(purchase, status=status), NOON, reason="") == billing


def test_another_purchase_and_a_second_end_change_nothing() -> None:
    billing, purchase = under_way()
    paid = replace(purchase, status=PurchaseStatus.PAID)

    once = settle_top_up(billing, paid, NOON, reason="")

    assert settle_top_up(once, paid, NOON, reason="") == once
    other = replace(paid, id="pur_other")
    assert settle_top_up(billing, other, NOON, reason="") == billing


def test_setting_the_rule_forgets_what_turned_it_off_and_not_what_the_month_brought() -> None:
    off = state(failures=3, off_reason="failures", failure="x", month="2026-11", purchases=2)

    after = with_rule(off, RULE, NOON)

    assert after.is_topping_up and after.version == off.version + 1
    assert (after.state.failures, after.state.failure, after.state.purchases) == (0, "", 2)
    assert after.state.next_at == NOON, "the schedule looks whether it is low already"


def test_setting_the_rule_leaves_what_is_under_way() -> None:
    billing, _ = under_way()

    after = with_rule(billing, replace(RULE, is_on=False), NOON)

    assert after.state.pending == billing.state.pending
    assert after.state.next_at == billing.state.next_at


def test_money_of_another_currency_is_counted_anew() -> None:
    spent = state(spent_minor=900)

    assert with_rule(spent, replace(RULE, currency="eur"), NOON).state.spent_minor == 0
    assert with_rule(spent, RULE, NOON).state.spent_minor == 900


@pytest.mark.parametrize(
    ("hindrance", "at"),
    [
        (Hindrance.COOLING, NOON + timedelta(minutes=1)),
        (Hindrance.MOST_PURCHASES, datetime(2026, 12, 1, tzinfo=UTC)),
        (Hindrance.MOST_MONEY, datetime(2026, 12, 1, tzinfo=UTC)),
        (Hindrance.ENOUGH, None),
        (Hindrance.DISPUTED, None),
    ],
)
def test_the_schedule_looks_again_where_time_alone_helps(
    hindrance: Hindrance, at: datetime | None
) -> None:
    bought = TopUpState(last_at=NOON)

    assert look_again_at(bought, LOW, hindrance, NOON) == at


def test_a_customer_brings_a_card_and_another_one_takes_it_away() -> None:
    known = with_payer(Billing(AccountId("a")), customer="cus_1", card="pm_1")

    assert (known.customer, known.card) == ("cus_1", "pm_1")
    assert with_payer(known, customer="cus_1", card="") == known
    assert with_payer(known, customer="cus_2", card="").card == ""


def test_a_card_rests_until_every_dispute_is_won_in_whatever_order_the_news_comes() -> None:
    one = with_dispute(READY, "pur_1", is_disputed=True)
    two = with_dispute(one, "pur_2", is_disputed=True)

    assert with_dispute(two, "pur_2", is_disputed=True) == two
    assert with_dispute(two, "pur_1", is_disputed=False).is_disputed
    won = with_dispute(with_dispute(two, "pur_1", is_disputed=False), "pur_2", is_disputed=False)
    assert not won.is_disputed


def test_so_many_disputes_stop_the_card_for_good() -> None:
    many = READY
    for number in range(MOST_DISPUTED + 5):
        many = with_dispute(many, f"pur_{number}", is_disputed=True)

    assert len(many.disputed) == MOST_DISPUTED
    assert with_dispute(many, "pur_unknown", is_disputed=False).is_disputed


def test_a_pack_that_is_gone_from_the_catalog_is_not_bought() -> None:
    catalog = replace(CATALOG, packs={"large": Pack("large", "Large", ONE, 100, "usd")})

    assert decide_top_up(READY, LOW, catalog, NOON) is Hindrance.NO_PACK
