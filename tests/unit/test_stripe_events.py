"""Signatures and events at the border: what Stripe signed just now, and nothing else."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tollkeeper.domain.errors import MalformedError, PaymentsUnavailableError
from tollkeeper.domain.payments import Payment
from tollkeeper.domain.purchases import PurchaseStatus
from tollkeeper.edge.stripe_events import read_event
from tollkeeper.edge.stripe_signature import sign, verify_signature

NOW = datetime(2026, 11, 20, 12, 0, 0, 999_000, tzinfo=UTC)
SECRET = "whsec_test"
BODY = b'{"id": "evt_1"}'
TIME = int(NOW.timestamp())
PURCHASE = "pur_" + "1" * 32


def digest(raw: bytes = BODY, time: str = str(TIME), secret: str = SECRET) -> str:
    """The signature, computed the long way: HMAC-SHA256 over time, dot and body."""
    return hmac.new(secret.encode(), f"{time}.".encode() + raw, hashlib.sha256).hexdigest()


def verify(header: str, raw: bytes = BODY, *secrets: str) -> None:
    """The check as the webhook makes it."""
    verify_signature(raw, header, secrets=list(secrets) or [SECRET], now=NOW)


# ------------------------------------------------------------------------------------ signatures


def test_our_own_signature_is_the_one_that_stripe_describes() -> None:
    assert sign(BODY, secret=SECRET, at=NOW) == f"t={TIME},v1={digest()}"


@pytest.mark.parametrize(
    "header",
    [
        f"t={TIME},v1={digest()}",
        f"v1={digest()},t={TIME}",
        f"t={TIME},v1={'0' * 64},v1={digest()}",
        f"t={TIME},v0={'0' * 64},v1={digest()}",
        f"t={TIME}, v1={digest()}",
        f"t={TIME},t={TIME},v1={digest()}",
        f"t={TIME - 300},v1={digest(time=str(TIME - 300))}",
        f"t={TIME + 300},v1={digest(time=str(TIME + 300))}",
        f"t=00{TIME},v1={digest(time=f'00{TIME}')}",
    ],
)
def test_a_right_signature_is_taken(header: str) -> None:
    verify(header)


@pytest.mark.parametrize(
    "header",
    [
        "",
        ",",
        "=",
        "t=,v1=",
        f"t={TIME}",
        f"v1={digest()}",
        f"t={TIME},v1=",
        f"t={TIME},v0={digest()}",
        f"t={TIME},v1={digest()[:-1]}",
        f"t={TIME},v1={digest().upper()}",
        f"t={TIME},v1={digest(secret='')}",
        f"t={TIME},v1={digest(BODY + b' ')}",
        f"t={TIME + 1},v1={digest()}",
        f"t={TIME},t={TIME + 1},v1={digest()}",
        f"t={TIME - 301},v1={digest(time=str(TIME - 301))}",
        f"t={TIME + 301},v1={digest(time=str(TIME + 301))}",
        f"t=-{TIME},v1={digest(time=f'-{TIME}')}",
        f"t=+{TIME},v1={digest(time=f'+{TIME}')}",
        f"t={TIME}.5,v1={digest(time=f'{TIME}.5')}",
        f"t=1e9,v1={digest(time='1e9')}",
        f"t={'9' * 13},v1={digest(time='9' * 13)}",
        f"t={'9' * 4000},v1={digest()}",
        "t=\u0661\u0667\u0669\u0665,v1=x",
        f"t={TIME},v1={digest()}\u00e9",
        f"t={TIME},v1={digest()}" + "," * 5000,
        f"t={TIME},v1={digest()}\ud800",
    ],
    ids=lambda header: ascii(header)[:60],
)
def test_a_wrong_signature_is_malformed(header: str) -> None:
    with pytest.raises(MalformedError):
        verify(header)


def test_each_secret_of_a_rotation_is_tried() -> None:
    verify(f"t={TIME},v1={digest(secret='new')}", BODY, "old", "new")
    with pytest.raises(MalformedError):
        verify(f"t={TIME},v1={digest(secret='older')}", BODY, "old", "new")


def test_without_a_secret_nothing_is_verified() -> None:
    with pytest.raises(PaymentsUnavailableError):
        verify_signature(BODY, f"t={TIME},v1={digest(secret='')}", secrets=[], now=NOW)


def test_a_body_larger_than_any_event_is_not_even_hashed() -> None:
    raw = b" " * (512 * 1024 + 1)

    with pytest.raises(MalformedError, match="larger than any event"):
        verify(sign(raw, secret=SECRET, at=NOW), raw)


@given(header=st.text(max_size=200), raw=st.binary(max_size=200))
@example(header=f"t={TIME},v1=\u0000", raw=b"")
def test_no_header_that_we_did_not_make_is_taken(header: str, raw: bytes) -> None:
    with pytest.raises(MalformedError):
        verify(header, raw)


@given(raw=st.binary(max_size=200), at=st.integers(-10_000, 10_000))
def test_a_signature_holds_for_its_bytes_and_five_minutes(raw: bytes, at: int) -> None:
    header = sign(raw, secret=SECRET, at=NOW + timedelta(seconds=at))

    if abs(at) <= 300:
        verify(header, raw)
    else:
        with pytest.raises(MalformedError):
            verify(header, raw)


# ---------------------------------------------------------------------------------------- events


def event_of(type_: str = "checkout.session.completed", **changes: Any) -> bytes:
    """The body of an event about the session of a purchase, with members of it changed."""
    session = {
        "id": "cs_test_1",
        "object": "checkout.session",
        "amount_subtotal": 5000,
        "currency": "usd",
        "metadata": {"purchase_id": PURCHASE},
        "payment_intent": "pi_1",
        "payment_status": "paid",
    }
    event = {
        "id": "evt_1",
        "object": "event",
        "created": TIME,
        "data": {"object": session | changes},
        "livemode": True,
        "type": type_,
    }
    return json.dumps(event).encode()


def test_an_event_of_ours_says_what_was_paid_for_which_purchase() -> None:
    delivery = read_event(event_of())

    assert (delivery.event, delivery.type) == ("evt_1", "checkout.session.completed")
    payment = delivery.fact
    assert isinstance(payment, Payment)
    assert (payment.purchase, payment.status) == (PURCHASE, PurchaseStatus.PAID)
    assert (payment.session, payment.payment_intent) == ("cs_test_1", "pi_1")
    assert (payment.currency, payment.subtotal_minor, payment.is_live) == ("usd", 5000, True)
    assert payment.created_at == NOW.replace(microsecond=0)


@pytest.mark.parametrize(
    ("type_", "payment_status", "expected"),
    [
        ("completed", "paid", "paid"),
        ("completed", "no_payment_required", "paid"),
        ("completed", "unpaid", "pending"),
        ("completed", "a word of tomorrow", "pending"),
        ("completed", None, "pending"),
        ("async_payment_succeeded", "paid", "paid"),
        ("async_payment_succeeded", "unpaid", "pending"),
        ("async_payment_failed", "unpaid", "failed"),
        ("async_payment_failed", "paid", "failed"),
        ("expired", "unpaid", "expired"),
    ],
)
def test_what_a_purchase_becomes_depends_on_type_and_payment_status(
    type_: str, payment_status: str | None, expected: str
) -> None:
    payment = read_event(event_of(f"checkout.session.{type_}", payment_status=payment_status)).fact

    assert isinstance(payment, Payment)
    assert payment.status == expected


def test_metadata_goes_before_the_client_reference() -> None:
    other = "pur_" + "2" * 32

    both = read_event(event_of(client_reference_id=other)).fact
    one = read_event(event_of(client_reference_id=other, metadata={})).fact

    assert isinstance(both, Payment)
    assert isinstance(one, Payment)
    assert (both.purchase, one.purchase) == (PURCHASE, other)


@pytest.mark.parametrize("purchase", ["", "pur_", "PUR_" + "1" * 32, PURCHASE + "\n", PURCHASE * 2])
def test_what_is_no_purchase_id_of_ours_is_not_ours(purchase: str) -> None:
    assert read_event(event_of(metadata={"purchase_id": purchase})).fact is None


@given(raw=st.binary(max_size=300))
def test_bytes_that_are_no_event_are_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedError):
        read_event(raw)


Json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=10,
)
MEMBERS = ("id", "type", "object", "created", "livemode", "data")
SESSION_MEMBERS = ("id", "currency", "amount_subtotal", "metadata", "payment_intent")


@given(
    outer=st.dictionaries(st.sampled_from(MEMBERS), Json, max_size=3),
    inner=st.dictionaries(st.sampled_from(SESSION_MEMBERS), Json, max_size=3),
)
def test_an_event_with_any_members_is_read_or_malformed(
    outer: dict[str, Any], inner: dict[str, Any]
) -> None:
    event = json.loads(event_of(**inner)) | outer

    try:
        delivery = read_event(json.dumps(event).encode())
    except MalformedError:
        return
    assert delivery.event == event["id"]
