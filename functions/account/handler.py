"""GET /v1/accounts/{id} and its entries: backends and their users read the balance."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.edge import wiring
from tollkeeper.edge.account_routes import answer_account, answer_entry
from tollkeeper.edge.account_search import answer_search
from tollkeeper.edge.history import answer_history
from tollkeeper.edge.http import Api
from tollkeeper.edge.live import answer_live
from tollkeeper.edge.payment_routes import answer_purchases
from tollkeeper.edge.top_up_routes import answer_top_up

api = Api(lambda: wiring.clock().now())


@api.get("/v1/accounts")
def search(**_: str) -> Response[str]:
    """The accounts whose ids begin so, for operators."""
    return answer_search(wiring.world(), api.read_known())


@api.get("/v1/accounts/<id>")
def read_account(**_: str) -> Response[str]:
    """The balance, grants, plan, windows and totals, as they are now."""
    return answer_account(wiring.world(), api.read_known())


@api.get("/v1/accounts/<id>/entries")
def read_entries(**_: str) -> Response[str]:
    """The history, newest first, as JSON or as CSV."""
    return answer_history(wiring.world(), api.read_known())


@api.get("/v1/accounts/<id>/entries/<key>")
def read_entry(**_: str) -> Response[str]:
    """One entry with everything that explains it."""
    return answer_entry(wiring.world(), api.read_known())


@api.get("/v1/accounts/<id>/top-up")
def read_top_up(**_: str) -> Response[str]:
    """The rule by which the account tops itself up, and what became of it."""
    return answer_top_up(wiring.world(), api.read_known())


@api.get("/v1/accounts/<id>/live")
def read_live(**_: str) -> Response[str]:
    """Where a page hears of the account's changes at once."""
    return answer_live(api.read_known())


@api.get("/v1/accounts/<id>/purchases")
def read_purchases(**_: str) -> Response[str]:
    """What the account bought, and what became of it."""
    return answer_purchases(wiring.world(), api.read_known())


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What Lambda calls."""
    return api.resolve(event, context)
