"""Packs, cost table, checkout and purchase state: how an app sells credits."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.edge import wiring
from tollkeeper.edge.checkout_routes import (
    answer_catalog,
    answer_checkout,
    answer_portal,
    read_checkout,
    read_portal,
)
from tollkeeper.edge.http import Api
from tollkeeper.edge.payment_routes import answer_purchase, answer_refund
from tollkeeper.edge.settings import read_settings
from tollkeeper.service.selling import open_checkout, open_portal

api = Api(lambda: wiring.clock().now())


@api.get("/v1/packs")
@api.get("/v1/catalog")
def catalog() -> Response[str]:
    """The packs for sale, or the cost table."""
    return answer_catalog(wiring.world().catalog, api.read())


@api.post("/v1/checkout")
def checkout() -> Response[str]:
    """A purchase is recorded and its payment page is open, once for the Idempotency-Key."""
    request = read_checkout(api.read_known(), read_settings())
    return answer_checkout(open_checkout(wiring.world(), wiring.stripe_gateway(), request))


@api.post("/v1/portal")
def portal() -> Response[str]:
    """The customer's own page at Stripe is open."""
    request = read_portal(api.read_known(), read_settings())
    return answer_portal(open_portal(wiring.world(), wiring.stripe_gateway(), request))


@api.get("/v1/purchases/<purchase_id>")
def purchase(**_: str) -> Response[str]:
    """Where the purchase stands."""
    return answer_purchase(wiring.world(), api.read_known())


@api.post("/v1/purchases/<purchase_id>/refund")
def refund(**_: str) -> Response[str]:
    """Money of the purchase goes back, whole or in part, and its credits go with it."""
    return answer_refund(wiring.world(), wiring.refund_gateway(), api.read_known())


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What Lambda calls."""
    return api.resolve(event, context)
