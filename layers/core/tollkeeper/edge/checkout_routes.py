"""Packs, checkout and purchases over HTTP."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.money import show_price
from tollkeeper.domain.purchases import Purchase
from tollkeeper.domain.return_urls import ReturnPolicy
from tollkeeper.edge.authorization import authorize
from tollkeeper.edge.bodies import CheckoutBody
from tollkeeper.edge.catalog_answers import show_catalog, show_packs
from tollkeeper.edge.commands import read_keyed
from tollkeeper.edge.http import Answer, Request
from tollkeeper.edge.observability import log_fact
from tollkeeper.edge.settings import Settings
from tollkeeper.edge.wire import Amount
from tollkeeper.service.selling import CheckoutRequest, Opened


def answer_catalog(catalog: Catalog, request: Request) -> Response[str]:
    """The packs or the cost table, to all where the catalog is public, else to keys with `read`.

    Raises: UnauthorizedError, ForbiddenError.
    """
    if not catalog.public:
        authorize(request.headers.get("authorization", ""), request.route_key)
    show = show_packs if request.route_key.endswith("/packs") else show_catalog
    return Answer(show(catalog)).to_response()


def read_checkout(request: Request, settings: Settings) -> CheckoutRequest:
    """The checkout that the body asks for.

    Raises: MalformedError, InvalidError, UnauthorizedError, ForbiddenError.
    """
    body, members = request.body(CheckoutBody)
    keyed = read_keyed(request, body.account, members)
    origins = settings.return_origins
    return CheckoutRequest(
        account=AccountId(body.account),
        pack=body.pack,
        success_url=body.success_url,
        cancel_url=body.cancel_url,
        key=keyed.key,
        request_hash=keyed.request_hash,
        returns=ReturnPolicy(origins, settings.stage == "local" and not origins),
    )


def answer_checkout(opened: Opened) -> Response[str]:
    """Where the customer pays, and what for: the same for every try."""
    purchase = opened.purchase
    log_fact(
        "checkout opened",
        account=purchase.account,
        purchase=purchase.id,
        pack=purchase.pack,
        was_replayed=opened.was_replayed,
    )
    body = {
        "purchase_id": purchase.id,
        "checkout_url": purchase.checkout_url,
        **_show_bought(purchase),
    }
    return Answer(body, status=201, was_replayed=opened.was_replayed).to_response()


def show_purchase(purchase: Purchase) -> dict[str, Any]:
    """The purchase as the page after the payment shows it."""
    return {
        "purchase_id": purchase.id,
        **_show_bought(purchase),
        "status": purchase.status.value,
        "reason": purchase.reason or None,
        "created_at": purchase.created_at.isoformat(),
        "paid_at": None if purchase.paid_at is None else purchase.paid_at.isoformat(),
    }


def _show_bought(purchase: Purchase) -> dict[str, Any]:
    return {
        "account": purchase.account,
        "pack": purchase.pack,
        "credits": Amount(purchase.credits_microcredits),
        "price": show_price(purchase.price_minor, purchase.currency),
        "currency": purchase.currency,
    }
