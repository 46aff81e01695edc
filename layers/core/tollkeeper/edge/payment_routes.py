"""What became of payments, over HTTP: purchases, refunds, and cases that need a person."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from tollkeeper.domain.cases import Release, Resolution
from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.purchases import PURCHASE_ID
from tollkeeper.domain.refunding import RefundRequest
from tollkeeper.edge.commands import read_keyed
from tollkeeper.edge.http import Answer, Request
from tollkeeper.edge.observability import log_fact, log_outcome
from tollkeeper.edge.pages import answer_page, read_asked
from tollkeeper.edge.payment_answers import show_case, show_purchase
from tollkeeper.edge.payment_bodies import PurchasesQuery, RefundPurchaseBody, ReleaseCaseBody
from tollkeeper.service.ports import RefundGateway, World
from tollkeeper.service.refunding import refund_purchase
from tollkeeper.service.releasing import list_cases, release_case
from tollkeeper.service.selling import NO_PURCHASE, read_purchase
from tollkeeper.store.cases import CASE_SHARDS

ACTIONS = {"grant": Resolution.GRANTED, "dismiss": Resolution.DISMISSED}


def answer_purchase(world: World, request: Request) -> Response[str]:
    """Where the purchase in the path stands. Raises: NotFoundError."""
    purchase = read_purchase(world, request.path("purchase_id"))
    request.require_own(purchase.account, NO_PURCHASE)
    return Answer(show_purchase(purchase)).to_response()


def answer_purchases(world: World, request: Request) -> Response[str]:
    """A page of the account's purchases, the newest of the page first. Raises: InvalidError."""
    query = request.query(PurchasesQuery)
    after = query.cursor or ""
    if after and PURCHASE_ID.fullmatch(after) is None:
        raise InvalidError("cursor", "is not one that a page gave out")
    found = world.ledger.read_purchases(request.account(), limit=query.limit, after=after)
    newest = sorted(found, key=lambda purchase: purchase.created_at, reverse=True)
    body = {
        "purchases": [show_purchase(purchase) for purchase in newest],
        "next_cursor": found[-1].id if len(found) == query.limit else None,
    }
    return Answer(body).to_response()


def answer_refund(world: World, gateway: RefundGateway, request: Request) -> Response[str]:
    """The money of the purchase in the path is on its way back, and its credits are gone.

    Raises: MalformedError, InvalidError; as refund_purchase.
    """
    body, members = request.body(RefundPurchaseBody)
    purchase_id = request.path("purchase_id")
    keyed = read_keyed(request, purchase_id, members)
    asked = RefundRequest(amount_micro=body.amount, reason=body.reason)
    refunded = refund_purchase(world, gateway, purchase_id, asked, keyed=keyed)
    log_fact(
        "purchase refunded",
        account=refunded.purchase.account,
        purchase=purchase_id,
        refund=refunded.refund,
        was_replayed=refunded.was_replayed,
    )
    body_out = {"refund": refunded.refund, **show_purchase(refunded.purchase)}
    return Answer(body_out, status=201, was_replayed=refunded.was_replayed).to_response()


def answer_cases(world: World, request: Request) -> Response[str]:
    """A page of the payments that need a person. Raises: InvalidError."""
    limit, place = read_asked(request, parts=CASE_SHARDS)
    page = list_cases(world, limit=limit, place=place)
    return answer_page("cases", page, show_case)


def answer_release(world: World, request: Request) -> Response[str]:
    """The case in the path is decided.

    Raises: MalformedError, InvalidError; as release_case.
    """
    body, members = request.body(ReleaseCaseBody)
    case_id = request.path("case")
    keyed = read_keyed(request, case_id, members)
    release = Release(
        case=case_id,
        resolution=ACTIONS[body.action],
        note=body.reason,
        account=body.account or "",
        credits_microcredits=body.credits,
    )
    released = release_case(world, release, keyed)
    if released.granted is not None:
        log_outcome("purchased", released.granted)
    log_fact("case resolved", case=case_id, resolution=released.case.resolution)
    return Answer(show_case(released.case), was_replayed=released.was_replayed).to_response()
