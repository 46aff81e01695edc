"""Operator commands: grants, adjustments, plans, profile and standing."""

from __future__ import annotations

from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entitlements import Entitle, change_for, follow
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.limits import SetLimits, decide_limits, has_limits
from tollkeeper.domain.operating import (
    Adjust,
    ChangePlan,
    ChangeProfile,
    ChangeStanding,
    Command,
    GiveGrant,
    decide_adjustment,
    decide_grant,
    decide_plan_change,
    decide_profile_change,
    decide_standing,
    has_profile,
    is_on_plan,
)
from tollkeeper.service.commit import Order, Outcome, commit
from tollkeeper.service.ports import World


def operate(world: World, account: AccountId, command: Command) -> Outcome:
    """The command is applied once for its key; a plan or profile that is set changes nothing.

    Raises: InvalidError, GrantLimitError, InsufficientCreditsError and what commit raises.
    Cost: as commit.
    """

    def decide(draft: Draft) -> Decision | None:
        return _decide(draft, command, world)

    order = Order(
        account=account,
        key=command.key,
        request_hash=command.request_hash,
        decide=decide,
        opens_on=_opening_plan(world, command),
        zone=command.zone if isinstance(command, ChangeProfile) else None,
    )
    return commit(world, order)


def _opening_plan(world: World, command: Command) -> str | None:
    """The plan that a new account opens on, where the command asks for one."""
    match command:
        case ChangePlan(plan=plan) if plan in world.catalog.plans:
            return plan
        case Entitle():
            return change_for(command, world.catalog).plan
        case _:
            return None


def _decide(draft: Draft, command: Command, world: World) -> Decision | None:
    match command:
        case GiveGrant():
            return decide_grant(draft, command)
        case Adjust():
            return decide_adjustment(draft, command)
        case ChangeStanding():
            return decide_standing(draft, command)
        case Entitle() if draft.account.plan.subscription:
            return None
        case Entitle():
            change = follow(command, draft.account.plan, world.catalog)
            return _decide_state(draft, change, world)
        case _:
            return _decide_state(draft, command, world)


def _decide_state(draft: Draft, command: Command, world: World) -> Decision | None:
    """What makes the account as the command says; nothing where it is so already."""
    is_there = draft.before is not None
    match command:
        case ChangePlan():
            if is_there and is_on_plan(draft.account, command):
                return None
            return decide_plan_change(draft, command, world.catalog)
        case ChangeProfile():
            if is_there and has_profile(draft.account, command):
                return None
            return decide_profile_change(draft, command)
        case SetLimits():
            if is_there and has_limits(draft.account, command):
                return None
            return decide_limits(draft, command)
        case _:
            raise AssertionError(f"no decision for {command!r}")
