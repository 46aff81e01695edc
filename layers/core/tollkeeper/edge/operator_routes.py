"""Operator commands over HTTP."""

from __future__ import annotations

from dataclasses import replace

from aws_lambda_powertools.event_handler import Response

from tollkeeper.domain.entitlements import Entitle, explain_entitlement
from tollkeeper.domain.limits import SetLimits
from tollkeeper.edge.answers import answer_entry, answer_limits_unchanged, answer_unchanged
from tollkeeper.edge.commands import read_command
from tollkeeper.edge.http import Answer, Request
from tollkeeper.edge.observability import log_outcome
from tollkeeper.service.charging import see_account
from tollkeeper.service.commit import Outcome
from tollkeeper.service.operating import operate
from tollkeeper.service.ports import World


def _answer_entitled(world: World, request: Request, command: Entitle, outcome: Outcome) -> Answer:
    """The plan that the features led to, and why; a replay says the same as the first answer."""
    why = explain_entitlement(command, world.catalog)
    if outcome.entry is not None:
        log_outcome(outcome.entry.kind.value, outcome)
        answer = answer_entry(outcome)
        members = {"plan": outcome.entry.details["to"], "why": why}
        return replace(answer, body={**answer.body, **members})
    account = see_account(world, request.account(), is_strong=True)
    answer = answer_unchanged(account)
    if account.plan.subscription:
        why = "a subscription at Stripe is paid, and drives the plan whatever the features say"
    return replace(answer, body={**answer.body, "why": why})


def answer_command(world: World, request: Request) -> Response[str]:
    """The command's own row as the answer; a PUT that found what it asks for says unchanged.

    Raises: as read_command and operate.
    """
    command = read_command(request, world.catalog)
    outcome = operate(world, request.account(), command)
    if isinstance(command, Entitle):
        return _answer_entitled(world, request, command, outcome).to_response()
    if outcome.entry is None:
        account = see_account(world, request.account(), is_strong=True)
        if isinstance(command, SetLimits):
            return answer_limits_unchanged(account, world.catalog).to_response()
        return answer_unchanged(account).to_response()
    log_outcome(outcome.entry.kind.value, outcome)
    is_created = request.route_key.endswith(("/grants", "/adjustments"))
    return answer_entry(outcome, status=201 if is_created else 200).to_response()
