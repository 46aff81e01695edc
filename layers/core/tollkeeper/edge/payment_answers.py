"""Purchases and cases as the API shows them."""

from __future__ import annotations

from typing import Any

from tollkeeper.domain.cases import Case
from tollkeeper.domain.money import show_price
from tollkeeper.domain.money_back import Dispute
from tollkeeper.domain.purchases import Purchase
from tollkeeper.edge.wire import Amount


def show_bought(purchase: Purchase) -> dict[str, Any]:
    """What is bought, by whom, for how much."""
    return {
        "account": purchase.account,
        "kind": purchase.kind.value,
        "pack": purchase.pack or None,
        "plan": purchase.plan or None,
        "credits": Amount(purchase.credits_microcredits),
        "price": show_price(purchase.price_minor, purchase.currency),
        "currency": purchase.currency,
    }


def show_purchase(purchase: Purchase) -> dict[str, Any]:
    """The purchase as the page after the payment shows it, and what became of its money."""
    back = purchase.back
    return {
        "purchase_id": purchase.id,
        **show_bought(purchase),
        "status": purchase.shown_status.value,
        "reason": purchase.reason or None,
        "created_at": purchase.created_at.isoformat(),
        "paid_at": None if purchase.paid_at is None else purchase.paid_at.isoformat(),
        "paid": show_price(purchase.paid_minor, purchase.currency),
        "refunded": show_price(back.refunded_minor, purchase.currency),
        "clawed_back": Amount(purchase.clawed_back_microcredits),
        "uncollected": Amount(purchase.uncollected_microcredits),
        "lapsed": Amount(purchase.lapsed_microcredits),
        "disputes": [_show_dispute(each, purchase.currency) for each in back.disputes],
    }


def _show_dispute(dispute: Dispute, currency: str) -> dict[str, Any]:
    return {
        "id": dispute.id,
        "amount": show_price(dispute.amount_minor, currency),
        "state": dispute.state.name.lower(),
    }


def show_case(case: Case) -> dict[str, Any]:
    """The case as an operator sees it."""
    is_priced = case.amount_minor is not None and case.currency
    return {
        "case": case.id,
        "at": case.at.isoformat(),
        "reason": case.reason,
        "account": case.account or None,
        "purchase_id": case.purchase or None,
        "payment": case.payment or None,
        "amount": show_price(case.amount_minor or 0, case.currency) if is_priced else None,
        "currency": case.currency or None,
        "event": case.event or None,
        "type": case.type or None,
        "resolution": None if case.resolution is None else case.resolution.value,
        "resolved_at": None if case.resolved_at is None else case.resolved_at.isoformat(),
        "granted": case.granted or None,
        "note": case.note or None,
    }
