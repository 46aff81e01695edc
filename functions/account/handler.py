"""GET /v1/accounts/{id} and its entries: backends and their users read the balance."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.edge import wiring
from tollkeeper.edge.answers import show_account, show_explained
from tollkeeper.edge.history import answer_history
from tollkeeper.edge.http import Answer, Api
from tollkeeper.edge.observability import log_fact
from tollkeeper.edge.payment_routes import answer_purchases
from tollkeeper.edge.top_up_routes import answer_top_up
from tollkeeper.service.charging import see_account
from tollkeeper.service.explaining import explain_entry

api = Api(lambda: wiring.clock().now())


@api.get("/v1/accounts/<id>")
def read_account(**_: str) -> Response[str]:
    """The balance, grants, plan, windows and totals, as they are now."""
    request = api.read_known()
    world = wiring.world()
    account = see_account(world, request.account(), is_strong=True)
    balance = (account.available_microcredits, account.seq)
    log_fact("available", account=account.id, seq=account.seq)
    return Answer(show_account(account, world.catalog), balance=balance).to_response()


@api.get("/v1/accounts/<id>/entries")
def read_entries(**_: str) -> Response[str]:
    """The history, newest first, as JSON or as CSV."""
    return answer_history(wiring.world(), api.read_known())


@api.get("/v1/accounts/<id>/entries/<key>")
def read_entry(**_: str) -> Response[str]:
    """One entry with everything that explains it."""
    request = api.read_known()
    explained = explain_entry(wiring.world(), request.account(), request.entry())
    return Answer(show_explained(explained)).to_response()


@api.get("/v1/accounts/<id>/top-up")
def read_top_up(**_: str) -> Response[str]:
    """The rule by which the account tops itself up, and what became of it."""
    return answer_top_up(wiring.world(), api.read_known())


@api.get("/v1/accounts/<id>/purchases")
def read_purchases(**_: str) -> Response[str]:
    """What the account bought, and what became of it."""
    return answer_purchases(wiring.world(), api.read_known())


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What Lambda calls."""
    return api.resolve(event, context)
