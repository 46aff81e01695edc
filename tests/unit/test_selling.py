"""Purchases as values: what is recorded, what an event does to it, and where a page may lead."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tollkeeper.domain.account import Status
from tollkeeper.domain.catalog import Catalog, Pack, PlanTerms
from tollkeeper.domain.entries import AccountId, caller_key, read_key, show_key
from tollkeeper.domain.errors import AccountClosedError, InvalidError
from tollkeeper.domain.payments import (
    Payment,
    PaymentOutcome,
    Verdict,
    follow,
    judge_payment,
)
from tollkeeper.domain.purchases import (
    PURCHASE_ID,
    Early,
    EventSeen,
    Linked,
    Purchase,
    PurchaseMoved,
    PurchaseStatus,
    decide_purchase,
    offer,
    opened,
    purchase_entry_key,
    purchase_id_of,
)
from tollkeeper.domain.return_urls import ReturnPolicy
from tollkeeper.domain.roll import begin
from tollkeeper.edge.catalog_answers import show_packs
from tollkeeper.store.payments import purchase_from_item, purchase_to_item

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
USER = AccountId("user_1")
PACK = Pack("pro", "Pro", 500_000_000, 5000, "usd", stripe_price="price_1", expires_after_days=30)
CATALOG = Catalog(
    version="v1",
    plans={"free": PlanTerms("free", "Free", 15_000_000)},
    default_plan="free",
    operations={},
    packs={"pro": PACK},
)
CREATED = opened(
    offer(PACK, purchase_id="pur_" + "1" * 32, account=USER, request_hash="1:x", now=NOW),
    session="cs_1",
    checkout_url="https://checkout.stripe.test/1",
)
PAID = Payment(
    event="evt_1",
    type="checkout.session.completed",
    purchase=CREATED.id,
    status=PurchaseStatus.PAID,
    session="cs_1",
    currency="usd",
    subtotal_minor=5000,
    is_live=False,
    created_at=NOW,
    payment_intent="pi_1",
)


def judge(purchase: Purchase, payment: Payment) -> Verdict:
    """The verdict in a stack that takes test money."""
    return judge_payment(purchase, payment, expects_live=False)


# ------------------------------------------------------------------------------------- purchases


def test_a_key_of_an_account_names_one_purchase_for_ever() -> None:
    first = purchase_id_of(USER, caller_key("b1"))

    assert first == purchase_id_of(USER, caller_key("b1"))
    assert first == "pur_63567596c2fbb1e92cf7f805b3a491a7"
    assert PURCHASE_ID.fullmatch(first)


def test_no_two_accounts_or_keys_share_a_purchase() -> None:
    pairs = itertools.product(["a", "a|b", "a:b"], ["k", "b|k", "b:k"])

    ids = {purchase_id_of(AccountId(account), caller_key(key)) for account, key in pairs}

    assert len(ids) == 9


def test_the_key_of_a_purchases_row_can_be_asked_for_as_it_is_shown() -> None:
    key = purchase_entry_key(CREATED.id)

    assert show_key(key) == f"s~purchase:{CREATED.id}"
    assert read_key(show_key(key)) == key


def test_a_purchase_is_read_from_the_table_as_it_was_written() -> None:
    full = replace(
        CREATED,
        status=PurchaseStatus.PAID,
        payment_intent="pi_1",
        paid_at=NOW,
        reason="because",
    )
    bare = replace(CREATED, expires_after_days=None, stripe_price="", session="", checkout_url="")

    for purchase in (CREATED, full, bare):
        assert purchase_from_item(purchase_to_item(purchase)) == purchase


def test_a_paid_purchase_brings_the_recorded_pack_with_its_expiry() -> None:
    draft, _ = begin(None, USER, now=NOW, catalog=CATALOG)
    event = EventSeen("evt_1", "t", "granted", NOW)

    link = Linked("pi_1", USER, CREATED.id)

    decision = decide_purchase(
        draft, CREATED, payment_intent="pi_1", event=event, early=Early(links=(link,))
    )

    assert decision.account.available_microcredits == 515_000_000
    assert decision.account.lifetime.purchased == 500_000_000
    assert decision.answer is not None
    assert decision.answer.grant is not None
    assert decision.answer.grant.expires_at == NOW + timedelta(days=30)
    paid = replace(
        CREATED,
        status=PurchaseStatus.PAID,
        version=3,
        paid_at=NOW,
        payment_intent="pi_1",
        grant=decision.answer.grant.id,
    )
    assert decision.also == (PurchaseMoved(paid), event, link)


def test_a_free_purchase_has_no_payment_to_link() -> None:
    draft, _ = begin(None, USER, now=NOW, catalog=CATALOG)
    event = EventSeen("evt_1", "t", "granted", NOW)

    decision = decide_purchase(draft, CREATED, payment_intent="", event=event)

    assert [type(each) for each in decision.also] == [PurchaseMoved, EventSeen]


def test_a_closed_account_gets_no_credits() -> None:
    draft, _ = begin(None, USER, now=NOW, catalog=CATALOG)
    draft.account = replace(draft.account, status=Status.CLOSED)

    with pytest.raises(AccountClosedError):
        decide_purchase(
            draft, CREATED, payment_intent="", event=EventSeen("evt_1", "t", "granted", NOW)
        )


# -------------------------------------------------------------------------------------- payments

P, R = PurchaseStatus, PaymentOutcome

# Rows: the purchase is; what the event says. Then: the outcome, and where the purchase moves.
VERDICTS = [
    (P.CREATED, P.PENDING, R.PENDING, P.PENDING),
    (P.CREATED, P.EXPIRED, R.EXPIRED, P.EXPIRED),
    (P.CREATED, P.FAILED, R.FAILED, P.FAILED),
    (P.CREATED, P.PAID, R.GRANTED, P.PAID),
    (P.PENDING, P.PENDING, R.IGNORED, None),
    (P.PENDING, P.EXPIRED, R.EXPIRED, P.EXPIRED),
    (P.PENDING, P.FAILED, R.FAILED, P.FAILED),
    (P.PENDING, P.PAID, R.GRANTED, P.PAID),
    (P.EXPIRED, P.PENDING, R.IGNORED, None),
    (P.EXPIRED, P.EXPIRED, R.IGNORED, None),
    (P.EXPIRED, P.FAILED, R.FAILED, P.FAILED),
    (P.EXPIRED, P.PAID, R.GRANTED, P.PAID),
    (P.FAILED, P.PENDING, R.IGNORED, None),
    (P.FAILED, P.EXPIRED, R.IGNORED, None),
    (P.FAILED, P.FAILED, R.IGNORED, None),
    (P.FAILED, P.PAID, R.GRANTED, P.PAID),
    (P.PAID, P.PENDING, R.IGNORED, None),
    (P.PAID, P.EXPIRED, R.IGNORED, None),
    (P.PAID, P.FAILED, R.IGNORED, None),
    (P.PAID, P.PAID, R.DUPLICATE, None),
    (P.QUARANTINED, P.PENDING, R.IGNORED, None),
    (P.QUARANTINED, P.EXPIRED, R.IGNORED, None),
    (P.QUARANTINED, P.FAILED, R.IGNORED, None),
    (P.QUARANTINED, P.PAID, R.QUARANTINED, None),
]


@pytest.mark.parametrize("row", VERDICTS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_an_event_moves_a_purchase_forward_or_not_at_all(row: Any) -> None:
    stands, said, outcome, moves_to = row

    verdict = judge(replace(CREATED, status=stands), replace(PAID, status=said))

    assert (verdict.outcome, verdict.status) == (outcome, moves_to)


WRONG: list[dict[str, Any]] = [
    {"subtotal_minor": 4999},
    {"subtotal_minor": None},
    {"currency": "eur"},
    {"currency": ""},
    {"session": "cs_2"},
    {"is_live": True},
    {"is_live": None},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_money_is_quarantined_and_says_why(wrong: dict[str, Any]) -> None:
    verdict = judge(CREATED, replace(PAID, **wrong))

    assert (verdict.outcome, verdict.status) == (R.QUARANTINED, P.QUARANTINED)
    assert verdict.reason
    moved = follow(CREATED, PAID, verdict)
    assert (moved.status, moved.reason, moved.version) == (P.QUARANTINED, verdict.reason, 3)
    assert moved.payment_intent == "pi_1"


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_money_for_a_paid_purchase_needs_a_person_and_leaves_it_paid(
    wrong: dict[str, Any],
) -> None:
    verdict = judge(replace(CREATED, status=P.PAID), replace(PAID, **wrong))

    assert (verdict.outcome, verdict.status) == (R.QUARANTINED, None)
    assert verdict.reason.startswith("paid before, and ")


@pytest.mark.parametrize("wrong", WRONG)
def test_news_without_money_about_another_payment_changes_nothing(wrong: dict[str, Any]) -> None:
    verdict = judge(CREATED, replace(PAID, status=P.EXPIRED, **wrong))

    assert (verdict.outcome, verdict.status) == (R.IGNORED, None)


def test_live_money_is_right_where_it_is_expected() -> None:
    live = replace(PAID, is_live=True)

    assert judge_payment(CREATED, live, expects_live=True).outcome is R.GRANTED
    assert judge_payment(CREATED, PAID, expects_live=True).outcome is R.QUARANTINED


def test_a_purchase_whose_page_was_never_recorded_takes_the_page_that_was_paid() -> None:
    assert judge(replace(CREATED, session=""), PAID).outcome is R.GRANTED


# ------------------------------------------------------------------------------------ return urls

LISTED = ReturnPolicy(("https://app.example.com", "http://shop.example.com:8080"))
ON_THIS_MACHINE = ReturnPolicy((), allows_loopback=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example.com",
        "https://app.example.com/",
        "https://app.example.com/paid?session={CHECKOUT_SESSION_ID}",
        "https://app.example.com:443/paid",
        "https://APP.example.com/paid",
        "HTTPS://app.example.com/paid",
        "https://app.example.com/a/../b?next=https://evil.example",
        "http://shop.example.com:8080/x",
    ],
)
def test_a_url_on_a_listed_origin_may_be_returned_to(url: str) -> None:
    LISTED.refuse_others(url, "success_url")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "app.example.com",
        "/paid",
        "//app.example.com/paid",
        "https:app.example.com",
        "https:///app.example.com",
        "https://",
        "http://app.example.com/paid",
        "https://app.example.com:8443/paid",
        "https://app.example.com.evil.example/",
        "https://evil.example/https://app.example.com",
        "https://sub.app.example.com/",
        "https://app.example.com./",
        "https://app.example.com@evil.example/",
        "https://app.example.com:pw@evil.example/",
        "https://user@app.example.com/",
        "https://app.example.com\\@evil.example/",
        "https://app.example.com\\.evil.example/",
        "https://evil.example\\@app.example.com/",
        "https://evil.example#@app.example.com/",
        "https://app.example.com/#/paid",
        "https://evil.example?@app.example.com/",
        "https://app.example.com:0443443/",
        "https://app.example.com:x/",
        "https://[app.example.com/",
        "https://[::1]/",
        "https://app.example.com/\u202egnp",
        "https://app\u3002example.com/",
        "https://\u0430pp.example.com/",
        " https://app.example.com/",
        "https://app.example.com/\n",
        "https://app.exam\tple.com/",
        "https://app.example.com/a b",
        'https://app.example.com/"onload',
        "https://app.example.com/<script>",
        "javascript:alert(1)//https://app.example.com",
        "javascript://app.example.com/%0aalert(1)",
        "data:text/html,x",
        "ftp://app.example.com/",
        "http://localhost:3000/",
        "http://shop.example.com/",
    ],
)
def test_any_other_url_is_refused_by_the_name_of_its_member(url: str) -> None:
    with pytest.raises(InvalidError) as refused:
        LISTED.refuse_others(url, "cancel_url")

    assert refused.value.problems[0][0] == "cancel_url"


@pytest.mark.parametrize("url", ["http://localhost:3000/paid", "http://127.0.0.1:8080/"])
def test_on_one_machine_any_port_of_it_may_be_returned_to(url: str) -> None:
    ON_THIS_MACHINE.refuse_others(url, "success_url")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "http://127.0.0.2/",
        "http://localhost@evil.example/",
        "https://localhost/",
        "https://app.example.com/",
        "http://2130706433/",
    ],
)
def test_on_one_machine_nothing_else_may_be_returned_to(url: str) -> None:
    with pytest.raises(InvalidError):
        ON_THIS_MACHINE.refuse_others(url, "success_url")


@pytest.mark.parametrize(
    "origin", ["https://*.example.com", "https://app.example.com/pay", "app.example.com", "*", ""]
)
def test_what_is_no_bare_origin_allows_nothing(origin: str) -> None:
    with pytest.raises(InvalidError):
        ReturnPolicy((origin,)).refuse_others("https://app.example.com/pay", "success_url")


# ----------------------------------------------------------------------------------------- packs


def test_savings_are_judged_within_a_currency() -> None:
    packs = [
        Pack("small", "Small", 10_000_000, 200, "usd"),
        Pack("large", "Large", 100_000_000, 1000, "usd"),
        Pack("yen", "Yen", 10_000_000, 9000, "jpy"),
    ]
    catalog = replace(CATALOG, packs={pack.id: pack for pack in packs})

    shown = {pack["id"]: pack for pack in show_packs(catalog)["packs"]}

    assert [shown[name]["savings_percent"] for name in ("small", "large", "yen")] == [0, 50, 0]
    assert [shown[name]["price_per_credit"] for name in ("small", "large", "yen")] == [
        "0.20",
        "0.10",
        "900",
    ]


def test_a_catalog_without_packs_sells_nothing() -> None:
    assert show_packs(replace(CATALOG, packs={})) == {"packs": []}
