"""The rule by which an account tops itself up, over HTTP."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.errors import ForbiddenError, InvalidError
from tollkeeper.domain.money import MICRO, minor_digits, show_price
from tollkeeper.domain.return_urls import ReturnPolicy
from tollkeeper.edge.answers import answer_entry
from tollkeeper.edge.commands import read_put
from tollkeeper.edge.http import Answer, Request
from tollkeeper.edge.observability import log_outcome
from tollkeeper.edge.settings import Settings
from tollkeeper.edge.top_up_answers import show_rule
from tollkeeper.edge.top_up_bodies import TopUpBody
from tollkeeper.edge.wire import Amount
from tollkeeper.service.ports import World
from tollkeeper.service.top_up_rules import SetTopUp, TopUpView, read_top_up, set_top_up


def answer_set_top_up(world: World, request: Request, settings: Settings) -> Response[str]:
    """The rule is in force; one that is so already is said to be unchanged.

    Raises: MalformedError, InvalidError, and as set_top_up.
    """
    command = read_set_top_up(request, world.catalog, settings)
    outcome = set_top_up(world, request.account(), command)
    if outcome.entry is not None:
        log_outcome("top-up set", outcome)
        return answer_entry(outcome).to_response()
    view = read_top_up(world, request.account())
    assert view.billing.top_up is not None, "it is as it was asked for"
    available, seq = view.account.available_microcredits, view.account.seq
    body = {"changed": False, "top_up": show_rule(view.billing.top_up)}
    body |= {"available": Amount(available), "seq": seq}
    return Answer(body, balance=(available, seq)).to_response()


def read_set_top_up(request: Request, catalog: Catalog, settings: Settings) -> SetTopUp:
    """The rule that the body asks for. Raises: MalformedError, InvalidError."""
    body, members = request.body(TopUpBody)
    keyed = read_put(request, members)
    if body.return_url is not None:
        origins = settings.return_origins
        returns = ReturnPolicy(origins, settings.stage == "local" and not origins)
        returns.refuse_others(body.return_url, "return_url")
    return SetTopUp(
        key=keyed.key,
        request_hash=keyed.request_hash,
        reason=body.reason or "",
        actor=keyed.actor,
        pack=body.pack,
        below_microcredits=body.below,
        most_purchases=body.most_purchases,
        most_minor=_read_cap(body.monthly_cap, body.pack, catalog),
        is_on=body.on,
        return_url=body.return_url or "",
        clears_disputes=_clears_disputes(request, body),
    )


def _clears_disputes(request: Request, body: TopUpBody) -> bool:
    """An operator asks for it. Raises: ForbiddenError.

    Why: whoever disputes payments must not be able to free the card for the next one.
    """
    if body.disputes is None:
        return False
    if "admin" not in request.principal().scopes:
        raise ForbiddenError("Only a key with the scope admin clears disputes.")
    return True


def _read_cap(cap_micro: int | None, pack: str, catalog: Catalog) -> int | None:
    """The cap in the smallest unit of the pack's currency. Raises: InvalidError."""
    if cap_micro is None or pack not in catalog.packs:
        return None
    currency = catalog.packs[pack].currency
    minor, rest = divmod(cap_micro * 10 ** minor_digits(currency), MICRO)
    if rest:
        raise InvalidError("monthly_cap", f"has more decimals than {currency} has")
    return minor


def answer_top_up(world: World, request: Request) -> Response[str]:
    """The rule with what became of it; `top_up` is null where there is none."""
    return Answer(show_top_up(read_top_up(world, request.account()))).to_response()


def show_top_up(view: TopUpView) -> dict[str, Any]:
    """The rule, why nothing is bought now, and what the month has brought."""
    billing, state = view.billing, view.billing.state
    rule = billing.top_up
    currency = rule.currency if rule is not None else ""
    return {
        "account": billing.account,
        "top_up": None if rule is None else show_rule(rule),
        "is_active": billing.is_topping_up,
        "off_reason": state.off_reason or None,
        "hindrance": None if view.hindrance is None else view.hindrance.value,
        "has_customer": bool(billing.customer),
        "is_disputed": billing.is_disputed,
        "failures": state.failures,
        "failure": state.failure or None,
        "month": state.month or None,
        "purchases": state.purchases,
        "spent": show_price(state.spent_minor, currency) if currency else None,
        "pending": _show_pending(view),
        "last_at": None if state.last_at is None else state.last_at.isoformat(),
        "available": Amount(view.account.available_microcredits),
    }


def _show_pending(view: TopUpView) -> dict[str, Any] | None:
    """The purchase under way; with a URL where its customer has to confirm the payment."""
    purchase = view.pending
    if purchase is None:
        return None
    return {
        "purchase_id": purchase.id,
        "status": purchase.shown_status.value,
        "action_url": purchase.checkout_url or None,
    }
