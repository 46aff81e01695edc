"""Stripe's own lists of what happened in a range, as the facts that the webhook would have told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from tollkeeper.domain.errors import MalformedError, PaymentsUnavailableError
from tollkeeper.domain.purchases import PURCHASE_ID
from tollkeeper.edge.settings import Settings
from tollkeeper.edge.stripe_client import asking_stripe, sdk_client
from tollkeeper.edge.stripe_events import SETTLED, read_fact
from tollkeeper.edge.stripe_invoices import ENDED
from tollkeeper.service.ports import Secrets
from tollkeeper.service.reconciling import Kind, Listed, Page

MOST_LISTED = 100
Object = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class List:
    """One of Stripe's lists: where it is, what is asked of it besides, and how to read it."""

    path: str
    parameters: Mapping[str, object]
    read: Callable[[Object], Listed]


class ListGateway:
    """Stripe's lists through its SDK. `api_url` is another server's on one machine."""

    def __init__(self, api_key: str, *, api_url: str | None = None) -> None:
        self._api_key = api_key
        self._api_url = api_url

    @property
    def is_ready(self) -> bool:
        """There is a key to list with."""
        return bool(self._api_key)

    def read_page(self, kind: Kind, *, since: datetime, until: datetime, after: str) -> Page:
        """Up to 100 of what was made from `since` on and before `until`, the newest first.

        `after` is the last object of the page before, empty for the first.
        Raises: PaymentsUnavailableError where Stripe does not answer as it should.
        Cost: one call to Stripe, two where the first one failed.
        """
        if not self._api_key:
            raise PaymentsUnavailableError("Nothing can be listed: STRIPE_SECRET_KEY is not set.")
        asked = LISTS[kind]
        parameters: dict[str, Any] = {
            **asked.parameters,
            "limit": MOST_LISTED,
            "created": {"gte": int(since.timestamp()), "lt": int(until.timestamp())},
        }
        if after:
            parameters["starting_after"] = after
        with asking_stripe(f"Stripe did not list its {kind.value.replace('_', ' ')}."):
            client: Any = sdk_client(self._api_key, self._api_url)
            # Why: the plain JSON is what the webhook's readers take; the SDK's objects are not.
            answer = client.raw_request("get", asked.path, **parameters)
        return read_list(kind, answer.data)


def choose_lists(settings: Settings, secrets: Secrets) -> ListGateway:
    """Stripe's lists; on one machine those of the Stripe that the settings name."""
    api_key = secrets.read_secret("STRIPE_SECRET_KEY")
    return ListGateway(api_key, api_url=settings.stripe_api or None)


def read_list(kind: Kind, data: object) -> Page:
    """The objects of Stripe's answer, each as the facts that it tells.

    Raises: PaymentsUnavailableError where it is no list.
    """
    read = LISTS[kind].read
    members: Object = cast("Object", data if isinstance(data, dict) else {})
    rows = members.get("data")
    if not isinstance(rows, list):
        raise PaymentsUnavailableError(f"Stripe's answer is no list of {kind.value}.")
    found = [cast("Object", row) for row in cast("list[object]", rows) if isinstance(row, dict)]
    last = _text(found[-1], "id") if found and members.get("has_more") is True else ""
    return Page(tuple(_read_safely(kind, row, read) for row in found), last)


def _read_safely(kind: Kind, row: Object, read: Callable[[Object], Listed]) -> Listed:
    """What the object says; one that cannot be read stops nothing and is told."""
    try:
        return read(row)
    except MalformedError as error:
        return Listed(kind, _text(row, "id"), problem=error.detail)


# ------------------------------------------------------------------------------- the seven lists


def _read_session(session: Object) -> Listed:
    """A payment page. An open one says nothing; of what is complete, not all is paid."""
    is_paid = session.get("payment_status") in SETTLED and session.get("status") != "open"
    status = _text(session, "status")
    type_ = {"expired": "checkout.session.expired", "complete": "checkout.session.completed"}
    return Listed(
        Kind.SESSIONS,
        _text(session, "id"),
        facts=_facts((type_[status], session)) if status in type_ else (),
        purchase=_purchase_of(session),
        is_paid=is_paid,
    )


def _read_charge(charge: Object) -> Listed:
    """A charge. What went back of it is cumulative, so the charge itself says all of it."""
    refunded = charge.get("amount_refunded")
    is_paid = charge.get("paid") is True and charge.get("captured") is True
    has_refund = isinstance(refunded, int) and refunded > 0
    type_ = "charge.refunded" if has_refund else "charge.succeeded"
    return Listed(
        Kind.CHARGES,
        _text(charge, "id"),
        facts=_facts((type_, charge)) if is_paid else (),
        purchase=_purchase_of(charge),
        payment=_text(charge, "payment_intent"),
        is_paid=is_paid or None,
        refunded_minor=refunded if isinstance(refunded, int) else None,
    )


def _read_refund(refund: Object) -> Listed:
    """A refund, by the charge inside it: it may be of a charge that was made long ago."""
    charge = refund.get("charge")
    if not isinstance(charge, dict):
        return Listed(Kind.REFUNDS, _text(refund, "id"))
    listed = _read_charge(cast("Object", charge))
    return Listed(
        Kind.REFUNDS,
        _text(refund, "id"),
        facts=listed.facts,
        purchase=listed.purchase,
        payment=listed.payment,
        refunded_minor=listed.refunded_minor,
    )


def _read_dispute(dispute: Object) -> Listed:
    is_over = _text(dispute, "status") in ("won", "lost", "warning_closed", "prevented")
    type_ = "charge.dispute.closed" if is_over else "charge.dispute.created"
    return Listed(
        Kind.DISPUTES,
        _text(dispute, "id"),
        facts=_facts((type_, dispute)),
        payment=_text(dispute, "payment_intent"),
    )


def _read_invoice(invoice: Object) -> Listed:
    """A paid invoice, and in versions since 2025 the payments that paid it."""
    listed = invoice.get("payments")
    rows = cast("Object", listed).get("data") if isinstance(listed, dict) else None
    payments = cast("list[object]", rows) if isinstance(rows, list) else []
    paid = [cast("Object", each) for each in payments if isinstance(each, dict)]
    of_payments = [("invoice_payment.paid", p) for p in paid if p.get("status") == "paid"]
    return Listed(
        Kind.INVOICES,
        _text(invoice, "id"),
        facts=_facts(("invoice.paid", invoice), *of_payments),
    )


def _read_ended(event: Object) -> Listed:
    """A subscription's end, by its event. Why: subscriptions are not listed by when they ended."""
    fact = read_fact(event)
    return Listed(Kind.ENDED, _text(event, "id"), facts=() if fact is None else (fact,))


INTENT_TYPES = {
    "succeeded": "payment_intent.succeeded",
    "canceled": "payment_intent.canceled",
    "requires_payment_method": "payment_intent.payment_failed",
    "requires_action": "payment_intent.requires_action",
    "processing": "payment_intent.processing",
}


def _read_intent(intent: Object) -> Listed:
    """A payment by a saved card; one of a payment page says nothing that its page does not."""
    status = _text(intent, "status")
    purchase = _purchase_of(intent)
    is_ours = bool(purchase) and status in INTENT_TYPES
    return Listed(
        Kind.PAYMENT_INTENTS,
        _text(intent, "id"),
        facts=_facts((INTENT_TYPES[status], intent)) if is_ours else (),
        purchase=purchase,
        payment=_text(intent, "id"),
    )


LISTS: Mapping[Kind, List] = {
    Kind.SESSIONS: List("/v1/checkout/sessions", {}, _read_session),
    Kind.INVOICES: List(
        "/v1/invoices", {"status": "paid", "expand": ["data.payments"]}, _read_invoice
    ),
    Kind.PAYMENT_INTENTS: List("/v1/payment_intents", {}, _read_intent),
    Kind.CHARGES: List("/v1/charges", {}, _read_charge),
    Kind.REFUNDS: List("/v1/refunds", {"expand": ["data.charge"]}, _read_refund),
    Kind.DISPUTES: List("/v1/disputes", {}, _read_dispute),
    Kind.ENDED: List("/v1/events", {"type": ENDED}, _read_ended),
}


def _facts(*told: tuple[str, Object]) -> tuple[object, ...]:
    """What the events of those types around the objects would say. Raises: MalformedError."""

    def read() -> Iterator[object]:
        for type_, found in told:
            members: dict[str, object] = {
                "type": type_,
                "object": "event",
                "created": found.get("created"),
                "livemode": found.get("livemode"),
                "data": {"object": dict(found)},
            }
            yield read_fact(members)

    return tuple(fact for fact in read() if fact is not None)


def _purchase_of(found: Object) -> str:
    """The purchase that the object names in its metadata, or nothing."""
    metadata = found.get("metadata")
    named = cast("Object", metadata).get("purchase_id") if isinstance(metadata, dict) else None
    is_ours = isinstance(named, str) and PURCHASE_ID.fullmatch(named) is not None
    return cast("str", named) if is_ours else ""


def _text(found: Object, name: str) -> str:
    value = found.get(name)
    if isinstance(value, dict):
        value = cast("Object", value).get("id")
    return value if isinstance(value, str) else ""
