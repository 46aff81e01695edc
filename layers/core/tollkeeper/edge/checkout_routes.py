"""Packs, checkout and purchases over HTTP."""

from __future__ import annotations

from collections.abc import Mapping

from aws_lambda_powertools.event_handler import Response

from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.return_urls import ReturnPolicy
from tollkeeper.edge.authorization import authorize
from tollkeeper.edge.catalog_answers import show_catalog, show_packs
from tollkeeper.edge.checkout_bodies import CheckoutBody, PortalBody
from tollkeeper.edge.commands import read_keyed
from tollkeeper.edge.http import Answer, Request
from tollkeeper.edge.observability import log_fact
from tollkeeper.edge.payment_answers import show_bought
from tollkeeper.edge.settings import Settings
from tollkeeper.service.selling import CheckoutRequest, Opened, PortalRequest


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
    return CheckoutRequest(
        account=AccountId(body.account),
        pack=body.pack,
        plan=body.plan,
        saves_card=body.save_card,
        success_url=body.success_url,
        cancel_url=body.cancel_url,
        key=keyed.key,
        request_hash=keyed.request_hash,
        returns=read_returns(request, settings),
    )


def read_returns(request: Request, settings: Settings) -> ReturnPolicy:
    """Where customers may be sent back to: the listed origins, and this API's own account page.

    Why: API Gateway itself says by which of its domains the request came; no header does.
    """
    context: Mapping[str, str] = request.event.get("requestContext") or {}
    domain = context.get("domainName", "")
    own = (f"https://{domain}",) if domain and settings.stage != "local" else ()
    origins = settings.return_origins
    return ReturnPolicy((*origins, *own), settings.stage == "local" and not origins)


def read_portal(request: Request, settings: Settings) -> PortalRequest:
    """The customer's page that the body asks for. Raises: as read_checkout, but for the key."""
    body, _ = request.body(PortalBody)
    return PortalRequest(
        account=AccountId(body.account),
        return_url=body.return_url,
        returns=read_returns(request, settings),
    )


def answer_checkout(opened: Opened) -> Response[str]:
    """Where the customer pays, and what for: the same for every try."""
    purchase = opened.purchase
    log_fact(
        "checkout opened",
        account=purchase.account,
        purchase=purchase.id,
        pack=purchase.pack,
        plan=purchase.plan,
        was_replayed=opened.was_replayed,
    )
    body = {
        "purchase_id": purchase.id,
        "checkout_url": purchase.checkout_url,
        **show_bought(purchase),
    }
    return Answer(body, status=201, was_replayed=opened.was_replayed).to_response()


def answer_portal(url: str) -> Response[str]:
    """Where the customer changes cards and subscriptions."""
    return Answer({"portal_url": url}, status=201).to_response()
