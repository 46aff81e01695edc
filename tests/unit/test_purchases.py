"""A purchase keeps what was offered, and says what became of its payment."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.building import ACCOUNT, CATALOG, NOON, ONE, done
from tollkeeper.domain.account import Status
from tollkeeper.domain.catalog import Pack
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.errors import AccountClosedError, InvalidError
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.payments import (
    Payment,
    PaymentOutcome,
    follow,
    judge_payment,
)
from tollkeeper.domain.purchases import (
    EventSeen,
    Purchase,
    PurchaseStatus,
    decide_purchase,
    offer,
    opened,
)
from tollkeeper.domain.return_urls import ReturnPolicy
from tollkeeper.domain.roll import begin

PACK = Pack("large", "Large", 500 * ONE, 4000, "usd", stripe_price="price_1", expires_after_days=30)
URL = "https://checkout.stripe.test/1"
EVENT = EventSeen("evt_1", "checkout.session.completed", "granted", NOON)


def offered(pack: Pack = PACK) -> Purchase:
    """The purchase of the pack, before anybody was sent to pay."""
    return offer(pack, purchase_id="pur_1", account=ACCOUNT, request_hash="hash", now=NOON)


def paid(purchase: Purchase) -> Decision:
    """The decision that its payment leads to."""
    return decide_purchase(a_draft(), purchase, payment_intent="pi_1", event=EVENT)


def a_draft() -> Draft:
    """A draft of a new account."""
    return begin(None, ACCOUNT, now=NOON, catalog=CATALOG)[0]


def payment(status: PurchaseStatus = PurchaseStatus.PAID) -> Payment:
    """What Stripe says of the page cs_1."""
    return Payment(
        event="evt_1",
        type="checkout.session.completed",
        purchase="pur_1",
        status=status,
        session="cs_1",
        currency="usd",
        subtotal_minor=4000,
        is_live=False,
        created_at=NOON,
    )


def test_a_purchase_keeps_the_pack_as_it_was_offered() -> None:
    """Why: the catalog may change before the customer has paid."""
    assert offered() == Purchase(
        id="pur_1",
        account=ACCOUNT,
        pack="large",
        pack_name="Large",
        credits_microcredits=500 * ONE,
        price_minor=4000,
        currency="usd",
        created_at=NOON,
        status=PurchaseStatus.CREATED,
        version=1,
        expires_after_days=30,
        stripe_price="price_1",
        request_hash="hash",
    )


def test_a_pack_without_a_price_of_stripes_is_offered_without_one() -> None:
    assert offered(replace(PACK, stripe_price=None)).stripe_price == ""


def test_a_purchase_knows_its_page_once_it_is_open() -> None:
    page = opened(offered(), session="cs_1", checkout_url=URL)

    assert (page.session, page.checkout_url) == ("cs_1", URL)
    assert (page.status, page.version) == (PurchaseStatus.CREATED, 2)


def test_a_page_that_was_paid_before_it_was_recorded_stays_the_purchases_own() -> None:
    known = replace(offered(), session="cs_1", status=PurchaseStatus.PAID)

    page = opened(known, session="cs_2", checkout_url=URL)

    assert (page.session, page.status, page.checkout_url) == ("cs_1", PurchaseStatus.PAID, URL)


@pytest.mark.parametrize("more", ["?a=1", "#a", "/"])
def test_an_allowed_origin_that_says_more_than_an_origin_allows_nothing(more: str) -> None:
    policy = ReturnPolicy(("https://app.example.com" + more,))

    with pytest.raises(InvalidError):
        policy.refuse_others("https://app.example.com/paid", "success_url")


def test_an_allowed_origin_that_names_a_user_allows_nothing() -> None:
    with pytest.raises(InvalidError):
        ReturnPolicy(("https://me@app.example.com",)).refuse_others(
            "https://app.example.com/paid", "success_url"
        )


def test_the_row_of_a_purchase_says_what_was_bought_for_how_much() -> None:
    _, entry = done(paid(offered()))

    assert entry.key == "s#purchase:pur_1"
    assert (entry.reason, entry.actor, entry.request_hash) == ("pack large", "stripe", "")
    assert entry.details == {
        "purchase": "pur_1",
        "pack": "large",
        "price_minor": "4000",
        "currency": "usd",
    }


def test_what_was_bought_is_a_grant_of_a_pack_that_lasts_as_long_as_was_offered() -> None:
    _, entry = done(paid(offered()))
    _, lasting = done(paid(offered(replace(PACK, expires_after_days=None))))

    assert entry.grant is not None and lasting.grant is not None
    assert entry.grant.kind is GrantKind.PACK
    assert entry.grant.expires_at == NOON + timedelta(days=30)
    assert lasting.grant.expires_at is None


def test_a_payment_for_a_closed_account_is_refused_by_its_name() -> None:
    draft = a_draft()
    draft.account = replace(draft.account, status=Status.CLOSED)

    with pytest.raises(AccountClosedError, match=r"^The account user_1 is closed for good\.$"):
        decide_purchase(draft, offered(), payment_intent="", event=EVENT)


def test_a_payment_for_a_quarantined_purchase_repeats_why_it_was_put_there() -> None:
    """Why: whoever looks at the event must not have to look for the first one."""
    waiting = replace(offered(), status=PurchaseStatus.QUARANTINED, reason="the amount is 1")

    verdict = judge_payment(waiting, payment(), expects_live=False)

    assert (verdict.outcome, verdict.reason) == (PaymentOutcome.QUARANTINED, "the amount is 1")


def test_news_of_another_page_is_passed_over_and_says_why() -> None:
    ours = replace(offered(), session="cs_9")

    verdict = judge_payment(ours, payment(PurchaseStatus.EXPIRED), expects_live=False)

    assert verdict.outcome is PaymentOutcome.IGNORED
    assert verdict.reason == "the session is cs_1, not cs_9"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"is_live": True}, "livemode is True, not False"),
        ({"currency": "eur"}, "the currency is eur, not usd"),
        ({"subtotal_minor": 1}, "the amount is 1, not 4000"),
    ],
)
def test_wrong_money_says_what_came_and_what_was_asked_for(
    wrong: dict[str, object], reason: str
) -> None:
    verdict = judge_payment(offered(), replace(payment(), **wrong), expects_live=False)  # type: ignore[arg-type]

    assert verdict.reason == reason


def test_an_event_without_a_payment_leaves_the_one_that_is_known() -> None:
    known = replace(offered(), payment_intent="pi_1")
    verdict = judge_payment(known, payment(PurchaseStatus.FAILED), expects_live=False)

    after = follow(known, payment(PurchaseStatus.FAILED), verdict)

    assert (after.status, after.payment_intent) == (PurchaseStatus.FAILED, "pi_1")
