"""Packs, cost table, checkout and purchase state: how an app sells credits."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.edge import wiring
from tollkeeper.edge.checkout_routes import (
    answer_catalog,
    answer_checkout,
    read_checkout,
    show_purchase,
)
from tollkeeper.edge.http import Answer, Api
from tollkeeper.edge.settings import read_settings
from tollkeeper.service.selling import open_checkout, read_purchase

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


@api.get("/v1/purchases/<purchase_id>")
def purchase(**_: str) -> Response[str]:
    """Where the purchase stands."""
    purchase_id = api.read_known().path("purchase_id")
    return Answer(show_purchase(read_purchase(wiring.world(), purchase_id))).to_response()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What Lambda calls."""
    return api.resolve(event, context)
