"""Operator commands over HTTP."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from tollkeeper.domain.limits import SetLimits
from tollkeeper.edge.answers import answer_entry, answer_limits_unchanged, answer_unchanged
from tollkeeper.edge.commands import read_command
from tollkeeper.edge.http import Request
from tollkeeper.edge.observability import log_outcome
from tollkeeper.service.charging import see_account
from tollkeeper.service.operating import operate
from tollkeeper.service.ports import World


def answer_command(world: World, request: Request) -> Response[str]:
    """The command's own row as the answer; a PUT that found what it asks for says unchanged.

    Raises: as read_command and operate.
    """
    command = read_command(request, world.catalog)
    outcome = operate(world, request.account(), command)
    if outcome.entry is None:
        account = see_account(world, request.account(), is_strong=True)
        if isinstance(command, SetLimits):
            return answer_limits_unchanged(account, world.catalog).to_response()
        return answer_unchanged(account).to_response()
    log_outcome(outcome.entry.kind.value, outcome)
    is_created = request.route_key.endswith(("/grants", "/adjustments"))
    return answer_entry(outcome, status=201 if is_created else 200).to_response()
