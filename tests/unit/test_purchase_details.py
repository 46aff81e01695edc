"""Purchases as whole values: what shows, what money that goes back takes along, and its rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.building import ACCOUNT, CATALOG, NOON, ONE
from tollkeeper.domain.account import Account
from tollkeeper.domain.clawback import ended_of
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import EntryKind
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.money_back import Dispute, DisputeState, MoneyBack
from tollkeeper.domain.purchases import (
    Early,
    EventSeen,
    Linked,
    Purchase,
    PurchaseKind,
    PurchaseMoved,
    PurchaseStatus,
    decide_money_back,
    decide_purchase,
    early_key,
    expires_at_of,
    follow_money,
    money_back_key,
    moved,
    post_money_back,
)
from tollkeeper.domain.roll import begin
from tollkeeper.store.payments import link_from_item, link_to_item

CREATED = Purchase("pur_1", ACCOUNT, "large", "Large", 500 * ONE, 4000, "usd", created_at=NOON)
PAID = replace(CREATED, status=PurchaseStatus.PAID, paid_at=NOON, grant="g2")
WITHDRAWN, WON = DisputeState.WITHDRAWN, DisputeState.WON


def a_draft(account: Account | None = None, days: int = 0) -> Draft:
    """A draft of the account, or of a new one, so many days later."""
    at = NOON + timedelta(days=days)
    return begin(account, ACCOUNT, now=at, catalog=CATALOG)[0]


def bought(purchase: Purchase = CREATED) -> tuple[Account, Purchase]:
    """The account with what was bought, and the purchase."""
    decision = decide_purchase(a_draft(), purchase, payment_intent="pi_1", event=None)
    return decision.account, purchase_of(decision)


def purchase_of(decision: Decision) -> Purchase:
    """The purchase that the decision writes."""
    return next(e.purchase for e in decision.also if isinstance(e, PurchaseMoved))


def refunded(minor: int, charged: int = 0) -> MoneyBack:
    """So much was refunded in all."""
    return MoneyBack(charged, minor)


def disputed(minor: int, state: DisputeState, name: str = "dp_1") -> MoneyBack:
    """A dispute of so much."""
    return MoneyBack(disputes=(Dispute(name, minor, state),))


# ---- What shows


def test_only_a_paid_purchase_shows_what_went_back() -> None:
    back = refunded(4000)

    assert replace(CREATED, back=back).shown_status is PurchaseStatus.CREATED
    assert replace(PAID, back=back).shown_status is PurchaseStatus.REFUNDED
    assert replace(PAID, back=refunded(3999)).shown_status is PurchaseStatus.PARTIALLY_REFUNDED


def test_what_was_paid_for_a_plan_is_on_its_invoices() -> None:
    kinds = {kind: replace(PAID, kind=kind).paid_minor for kind in PurchaseKind}

    assert kinds == {
        PurchaseKind.PACK: 4000,
        PurchaseKind.PLAN: 0,
        PurchaseKind.INVOICE: 4000,
        PurchaseKind.TOP_UP: 4000,
    }
    assert CREATED.paid_minor == 0


def test_credits_end_so_many_days_after_they_were_paid() -> None:
    ending = replace(PAID, expires_after_days=30)

    assert expires_at_of(ending) == NOON + timedelta(days=30)
    assert expires_at_of(PAID) is None
    assert expires_at_of(replace(ending, paid_at=None)) is None


def test_a_purchase_moves_with_its_version() -> None:
    assert moved(CREATED, PurchaseStatus.PENDING, session="cs_1") == replace(
        CREATED, status=PurchaseStatus.PENDING, version=2, session="cs_1"
    )


# ---- What is bought


def test_what_brings_no_pack_says_its_own_reason_and_who_gave_it() -> None:
    given = replace(CREATED, pack="", reason="a person decided")

    decision = decide_purchase(
        a_draft(), given, payment_intent="pi_1", event=None, actor="service:ops"
    )

    row = decision.answer
    assert row is not None
    assert (row.reason, row.actor, row.details["pack"]) == ("a person decided", "service:ops", "")
    assert decision.also == (
        PurchaseMoved(
            replace(
                given,
                status=PurchaseStatus.PAID,
                version=2,
                paid_at=NOON,
                payment_intent="pi_1",
                grant="g2",
            )
        ),
    )


def test_the_purchase_its_event_and_its_links_are_written_in_that_order() -> None:
    event = EventSeen("evt_1", "t", "granted", NOON)
    links = (Linked("pi_1", ACCOUNT, "pur_1"), Linked("ch_1", ACCOUNT, "pur_1"))

    decision = decide_purchase(
        a_draft(), CREATED, payment_intent="pi_1", event=event, early=Early(links=links)
    )

    assert decision.also == (PurchaseMoved(purchase_of(decision)), event, *links)
    assert [row.kind for row in decision.entries] == [EntryKind.RESET, EntryKind.GRANT]


def test_what_went_back_early_has_a_row_of_its_own() -> None:
    ending = replace(CREATED, expires_after_days=30)
    early = Early(refunded(1000))

    decision = decide_purchase(a_draft(), ending, payment_intent="", event=None, early=early)

    row = decision.entries[-1]
    assert (row.key, row.reason, row.actor) == ("s#early:pur_1", "", "stripe")
    assert row.draws[0].grant.id == purchase_of(decision).grant
    assert early_key("pur_1") == row.key


# ---- What goes back


def test_money_that_went_back_is_told_in_a_row_with_its_reason_and_in_the_purchase() -> None:
    account, purchase = bought()
    link = Linked("pi_1", ACCOUNT, "pur_1")

    decision = decide_money_back(
        a_draft(account), purchase, back=refunded(1000), payment="pi_1", also=(link,)
    )

    row = decision.answer
    assert row is not None
    assert (row.key, row.reason) == ("s#refund:pi_1:1000", "refunded")
    assert row.draws[0].grant.id == purchase.grant
    after = replace(purchase, version=3, back=refunded(1000), clawed_back_microcredits=125 * ONE)
    assert decision.also == (PurchaseMoved(after), link)


def test_what_expired_before_is_owed_by_nobody() -> None:
    account, purchase = bought()

    decision = decide_money_back(
        a_draft(account),
        purchase,
        back=refunded(4000),
        payment="pi_1",
        expired_microcredits=499 * ONE,
    )

    assert decision.answer is not None
    assert decision.answer.moved_microcredits == ONE
    assert purchase_of(decision).lapsed_microcredits == 499 * ONE


def test_what_expired_before_and_what_expires_now_is_the_same_and_counted_once() -> None:
    account, purchase = bought(replace(CREATED, expires_after_days=30))

    after, row = post_money_back(
        a_draft(account, days=31),
        purchase,
        back=refunded(4000),
        key=early_key("x"),
        expired_microcredits=1,
    )

    assert (row, after.lapsed_microcredits) == (None, 500 * ONE)
    assert after.version == purchase.version


def test_what_nobody_had_is_added_to_what_nobody_had_before() -> None:
    account, purchase = bought()
    left = replace(purchase, uncollected_microcredits=7)
    account = replace(account, parent="team")

    after, row = post_money_back(
        a_draft(account),
        replace(left, credits_microcredits=600 * ONE),
        back=refunded(4000),
        key=early_key("x"),
    )

    assert row is not None
    assert (row.moved_microcredits, row.uncollected_microcredits) == (510 * ONE, 90 * ONE)
    assert after.uncollected_microcredits == 90 * ONE + 7


def test_credits_that_come_back_end_when_the_purchases_would() -> None:
    account, purchase = bought(replace(CREATED, expires_after_days=30))
    taken = decide_money_back(
        a_draft(account), purchase, back=disputed(4000, WITHDRAWN), payment="pi_1"
    )

    again = decide_money_back(
        a_draft(taken.account, days=1),
        purchase_of(taken),
        back=disputed(4000, WON),
        payment="pi_1",
    )

    assert again.answer is not None and again.answer.grant is not None
    assert (again.answer.key, again.answer.reason) == ("s#dispute_won:dp_1", "dispute won")
    assert again.answer.grant.expires_at == NOON + timedelta(days=30)


def test_what_comes_back_is_first_what_nobody_had_then_what_expired() -> None:
    taken = replace(
        PAID,
        back=disputed(4000, WITHDRAWN),
        clawed_back_microcredits=500 * ONE,
        uncollected_microcredits=100 * ONE,
        lapsed_microcredits=300 * ONE,
    )

    after, amount = follow_money(taken, disputed(4000, WON))
    part, none = follow_money(
        replace(taken, back=refunded(4000), clawed_back_microcredits=600 * ONE), refunded(4000)
    )

    assert (amount, after.uncollected_microcredits, after.lapsed_microcredits) == (
        -100 * ONE,
        0,
        0,
    )
    assert (none, part.uncollected_microcredits, part.lapsed_microcredits) == (
        0,
        0,
        300 * ONE,
    )


def test_the_smallest_part_of_a_credit_goes_and_comes_back() -> None:
    cheap = replace(PAID, credits_microcredits=4000)

    gone, one = follow_money(cheap, disputed(1, WITHDRAWN))
    again, minus_one = follow_money(gone, disputed(1, WON))

    assert (one, gone.clawed_back_microcredits, gone.uncollected_microcredits) == (1, 1, 0)
    assert (minus_one, again.clawed_back_microcredits) == (-1, 0)


def test_a_part_that_comes_back_leaves_the_rest_of_what_expired() -> None:
    lapsed = replace(
        PAID,
        back=disputed(4000, WITHDRAWN).and_also(disputed(1000, WITHDRAWN, "dp_2")),
        clawed_back_microcredits=500 * ONE,
        uncollected_microcredits=25 * ONE,
        lapsed_microcredits=400 * ONE,
    )

    after, amount = follow_money(lapsed, disputed(4000, WON))

    assert (amount, after.clawed_back_microcredits) == (0, 125 * ONE)
    assert (after.uncollected_microcredits, after.lapsed_microcredits) == (0, 50 * ONE)


@pytest.mark.parametrize(
    ("known", "news", "key", "reason"),
    [
        (refunded(0), disputed(9, WON), "s#dispute_won:dp_1", "dispute won"),
        (disputed(9, WON), disputed(10, WON), "s#dispute:dp_1:won:10", "disputed"),
        (
            disputed(9, WITHDRAWN),
            disputed(10, WON),
            "s#dispute_won:dp_1",
            "dispute won",
        ),
        (
            disputed(9, WITHDRAWN),
            disputed(9, WITHDRAWN, "dp_0"),
            "s#dispute:dp_0",
            "disputed",
        ),
        (
            disputed(9, WITHDRAWN),
            disputed(9, WITHDRAWN, "dp_2"),
            "s#dispute:dp_2",
            "disputed",
        ),
        (refunded(0), refunded(1).and_also(disputed(9, WON)), "s#refund:pi_1:1", "refunded"),
        (refunded(5), refunded(5, charged=4760), "s#refund:pi_1:of:4760", "charged otherwise"),
    ],
)
def test_the_row_says_what_is_new_of_the_money(
    known: MoneyBack, news: MoneyBack, key: str, reason: str
) -> None:
    account, purchase = bought()
    account = decide_money_back(
        a_draft(account), purchase, back=refunded(4000), payment="pi_9"
    ).account
    # Why: whatever is new then moves credits, and so has a row.
    told = replace(purchase, back=known, clawed_back_microcredits=ONE)

    decision = decide_money_back(a_draft(account), told, back=news, payment="pi_1")

    assert money_back_key(told, news, "pi_1") == key
    assert decision.entries[-1].reason == reason
    assert decision.entries[-1].key == key


def test_a_link_is_read_as_it_was_written() -> None:
    full = Linked(
        "in_1",
        ACCOUNT,
        "pur_1",
        version=2,
        back=refunded(5).and_also(disputed(9, WON)),
        stands_for="pi_9",
        ended_at=NOON,
        payment="pi_1",
    )

    for link in (full, Linked("in_1", ACCOUNT, "pur_1")):
        assert link_from_item(link_to_item(link)) == link


# ---- What an end took


def test_what_an_end_took_of_a_purchase_is_at_most_its_share_of_the_grant() -> None:
    account, purchase = bought(replace(CREATED, expires_after_days=1))
    draft = a_draft(account, days=2)
    row = next(e for e in draft.entries if e.key == f"t#expire:{purchase.grant}")
    assert row.grant is not None
    promo = replace(row, grant=replace(row.grant, kind=GrantKind.PROMO))

    assert ended_of(row, 500 * ONE) == ended_of(row, 501 * ONE) == 500 * ONE
    assert ended_of(row, 500 * ONE - 1) == 500 * ONE - 1
    assert ended_of(row, 250 * ONE) == 250 * ONE
    assert ended_of(replace(row, moved_microcredits=3), 250 * ONE) == 1
    assert ended_of(promo, 1) == ended_of(replace(row, grant=None), 1) == 500 * ONE
