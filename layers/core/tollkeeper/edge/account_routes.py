"""The account as its owner reads it: the balance, and one entry explained."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from tollkeeper.edge.answers import show_account, show_explained
from tollkeeper.edge.http import Answer, Request
from tollkeeper.edge.observability import log_fact
from tollkeeper.service.charging import see_account
from tollkeeper.service.explaining import explain_entry
from tollkeeper.service.ports import World


def answer_account(world: World, request: Request) -> Response[str]:
    """The balance, grants, plan, windows and totals, as they are now.

    Raises: NotFoundError where accounts do not open by themselves; as Request.account.
    """
    account = see_account(world, request.account(), is_strong=True)
    balance = (account.available_microcredits, account.seq)
    log_fact("available", account=account.id, seq=account.seq)
    return Answer(show_account(account, world.catalog), balance=balance).to_response()


def answer_entry(world: World, request: Request) -> Response[str]:
    """One entry with everything that explains it. Raises: NotFoundError; as Request.account."""
    explained = explain_entry(world, request.account(), request.entry())
    return Answer(show_explained(explained)).to_response()
