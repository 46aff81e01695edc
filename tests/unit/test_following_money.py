"""A purchase's credits follow its money: the same end, whatever came first."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.building import ACCOUNT, CATALOG, NOON, ONE
from tollkeeper.domain.account import Account
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import EntryKind
from tollkeeper.domain.money_back import NO_MONEY_BACK, Dispute, DisputeState, MoneyBack
from tollkeeper.domain.purchases import (
    Early,
    Purchase,
    PurchaseMoved,
    PurchaseStatus,
    decide_money_back,
    decide_purchase,
    follow_money,
    money_back_key,
)
from tollkeeper.domain.roll import begin

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
    paid_at=NOON,
    payment_intent="pi_1",
    grant="g2",
)


def refunded(minor: int, charged: int = 0) -> MoneyBack:
    """So much was refunded in all."""
    return MoneyBack(charged_minor=charged, refunded_minor=minor)


def disputed(
    minor: int, state: DisputeState = DisputeState.WITHDRAWN, id_: str = "dp_1"
) -> MoneyBack:
    """A dispute of so much."""
    return MoneyBack(disputes=(Dispute(id_, minor, state),))


def purchase_of(decision: Decision) -> Purchase:
    """The purchase that the decision writes."""
    return next(e.purchase for e in decision.also if isinstance(e, PurchaseMoved))


@pytest.mark.parametrize(
    ("back", "credits", "shown"),
    [
        (NO_MONEY_BACK, 0, "paid"),
        (refunded(1000), 125 * ONE, "partially_refunded"),
        (refunded(1), 125_000, "partially_refunded"),
        (refunded(4000), 500 * ONE, "refunded"),
        (refunded(9000), 500 * ONE, "refunded"),
        (refunded(1000, charged=5000), 100 * ONE, "partially_refunded"),
        (refunded(1, charged=3), 166_666_666, "partially_refunded"),
        (refunded(4000, charged=5000), 400 * ONE, "partially_refunded"),
        (disputed(4000), 500 * ONE, "disputed"),
        (disputed(1000), 125 * ONE, "disputed"),
        (disputed(9000), 500 * ONE, "disputed"),
        (disputed(4000, DisputeState.WON), 0, "paid"),
        (refunded(3000).and_also(disputed(4000)), 500 * ONE, "disputed"),
        (refunded(1000).and_also(disputed(1000)), 250 * ONE, "disputed"),
        (
            refunded(1000).and_also(disputed(4000, DisputeState.WON)),
            125 * ONE,
            "partially_refunded",
        ),
    ],
)
def test_what_is_gone_is_the_share_of_the_money_that_is_back(
    back: MoneyBack, credits: int, shown: str
) -> None:
    after, amount = follow_money(PAID, back)

    assert (amount, after.clawed_back_microcredits) == (credits, credits)
    assert after.shown_status == shown
    assert follow_money(after, back) == (after, 0)


def test_what_is_not_paid_has_no_credits_to_follow() -> None:
    for status in (PurchaseStatus.PENDING, PurchaseStatus.QUARANTINED, PurchaseStatus.EXPIRED):
        waiting = replace(PAID, status=status)
        assert follow_money(waiting, refunded(4000)) == (
            replace(waiting, back=refunded(4000)),
            0,
        )


def test_credits_that_nobody_had_do_not_come_back() -> None:
    taken = replace(
        PAID,
        back=disputed(4000),
        clawed_back_microcredits=500 * ONE,
        uncollected_microcredits=200 * ONE,
    )

    after, amount = follow_money(taken, disputed(4000, DisputeState.WON))

    assert (amount, after.clawed_back_microcredits) == (-300 * ONE, 0)
    assert after.uncollected_microcredits == 0


def test_credits_that_expired_unspent_are_owed_by_nobody_and_do_not_come_back() -> None:
    half, first = follow_money(PAID, refunded(2000), expired_microcredits=300 * ONE)
    whole, second = follow_money(half, refunded(4000), expired_microcredits=300 * ONE)
    again, back = follow_money(
        follow_money(PAID, disputed(4000), expired_microcredits=300 * ONE)[0],
        disputed(4000, DisputeState.WON),
        expired_microcredits=300 * ONE,
    )

    assert (first, half.lapsed_microcredits) == (0, 250 * ONE)
    assert (second, whole.lapsed_microcredits) == (200 * ONE, 300 * ONE)
    assert (back, again.lapsed_microcredits, again.clawed_back_microcredits) == (-200 * ONE, 0, 0)


def test_what_expires_at_this_very_moment_is_owed_by_nobody() -> None:
    ending = replace(PAID, expires_after_days=30, status=PurchaseStatus.CREATED)
    bought = decide_purchase(a_draft(), ending, payment_intent="pi_1", event=None)
    paid = purchase_of(bought)
    late = NOON + timedelta(days=31)
    draft, _ = begin(bought.account, ACCOUNT, now=late, catalog=CATALOG)

    decision = decide_money_back(draft, paid, back=refunded(4000), payment="pi_1")

    assert decision.answer is None
    assert purchase_of(decision).lapsed_microcredits == 500 * ONE
    assert decision.account.debt_microcredits == 0


def a_draft() -> Draft:
    """A draft of a new account."""
    return begin(None, ACCOUNT, now=NOON, catalog=CATALOG)[0]


def test_what_went_back_before_the_grant_is_taken_in_the_grants_own_decision() -> None:
    waiting = replace(PAID, status=PurchaseStatus.PENDING, back=refunded(1000), grant="")

    decision = decide_purchase(
        a_draft(), waiting, payment_intent="pi_1", event=None, early=Early(disputed(2000))
    )

    kinds = [(entry.kind, entry.moved_microcredits) for entry in decision.entries[-2:]]
    assert kinds == [(EntryKind.GRANT, 500 * ONE), (EntryKind.CLAWBACK, 375 * ONE)]
    assert decision.entries[-1].key == "s#early:pur_1"
    paid = purchase_of(decision)
    assert (paid.status, paid.version) == (PurchaseStatus.PAID, waiting.version + 1)
    assert paid.back == refunded(1000).and_also(disputed(2000))
    assert paid.clawed_back_microcredits == 375 * ONE


@pytest.mark.parametrize(
    ("known", "news", "key"),
    [
        (NO_MONEY_BACK, refunded(1000), "s#refund:pi_1:1000"),
        (refunded(1000), refunded(2000), "s#refund:pi_1:2000"),
        (NO_MONEY_BACK, disputed(1000), "s#dispute:dp_1"),
        (disputed(1000), disputed(2000), "s#dispute:dp_1:withdrawn:2000"),
        (disputed(1000), disputed(1000, DisputeState.WON), "s#dispute_won:dp_1"),
        (disputed(1000), disputed(1000, id_="dp_2"), "s#dispute:dp_2"),
        (refunded(1000), MoneyBack(charged_minor=5000), "s#refund:pi_1:of:5000"),
    ],
)
def test_the_row_is_named_after_what_is_new(known: MoneyBack, news: MoneyBack, key: str) -> None:
    assert money_back_key(replace(PAID, back=known), news, "pi_1") == key


NEWS = st.lists(
    st.one_of(
        st.builds(refunded, st.integers(0, 4000), st.sampled_from([0, 4000, 4760])),
        st.builds(
            disputed,
            st.integers(1, 5000),
            st.sampled_from(DisputeState),
            st.sampled_from(["dp_1", "dp_2"]),
        ),
    ),
    max_size=4,
)


@given(news=NEWS)
def test_every_order_ends_with_the_same_purchase_and_no_row_twice(news: list[MoneyBack]) -> None:
    ends: set[Purchase] = set()
    for order in itertools.permutations(news):
        purchase = PAID
        keys: list[str] = []
        total = 0
        for each in (*order, *order):
            key = money_back_key(purchase, each, "pi_1")
            purchase, amount = follow_money(purchase, each)
            total += amount
            keys += [key] if amount else []
        assert total == purchase.clawed_back_microcredits
        assert len(set(keys)) == len(keys)
        ends.add(purchase)

    assert len(ends) == 1


def test_an_account_is_no_poorer_than_its_clawbacks_say() -> None:
    account: Account | None = None
    bought = decide_purchase(
        a_draft(), replace(PAID, status=PurchaseStatus.CREATED), payment_intent="", event=None
    )
    account = bought.account
    draft, _ = begin(account, ACCOUNT, now=NOON, catalog=CATALOG)

    decision = decide_money_back(draft, purchase_of(bought), back=refunded(4000), payment="pi_1")

    before = account.available_microcredits
    assert decision.account.available_microcredits == before - 500 * ONE
    assert decision.answer is not None and decision.answer.actor == "stripe"
    assert decision.answer.details == {"purchase": "pur_1"}


def test_of_a_grant_that_two_purchases_share_each_lapses_with_its_own_share() -> None:
    ending = replace(PAID, expires_after_days=30, status=PurchaseStatus.CREATED)
    bought = decide_purchase(a_draft(), ending, payment_intent="pi_1", event=None)
    paid = purchase_of(bought)
    (grant,) = (g for g in bought.account.grants if g.id == paid.grant)
    shared = replace(
        grant,
        amount_microcredits=3 * grant.amount_microcredits,
        remaining_microcredits=grant.remaining_microcredits,
    )
    others = tuple(g for g in bought.account.grants if g.id != paid.grant)
    account = replace(bought.account, grants=(*others, shared))
    draft, _ = begin(account, ACCOUNT, now=NOON + timedelta(days=31), catalog=CATALOG)

    decision = decide_money_back(draft, paid, back=refunded(4000), payment="pi_1")

    # 500 of the 1,500 that came into it were left: a third of them was this purchase's.
    assert purchase_of(decision).lapsed_microcredits == 166_666_666
