"""Limits that an operator or a user sets for an account, and when its alerts ring."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from tollkeeper.domain.account import Account, OwnLimits
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import EntryKind
from tollkeeper.domain.money import show_micro
from tollkeeper.domain.operating import Command, post_command

WIRE_NAMES = {"day": "daily", "month": "monthly", "run": "per_run_max"}
Level = Literal["operator", "user"]


@dataclass(frozen=True, slots=True)
class SetLimits(Command):
    """Limits as they are to be; what is not named stays. Units: micro-credits, percent.

    Shape: `limits` are pairs of `day`, `month` or `run` and a limit, None for none. `thresholds`
    and `low_balance` are one-tuples where they are named: with None they are the catalog's again.
    """

    level: Level = "operator"
    limits: tuple[tuple[str, int | None], ...] = ()
    thresholds: tuple[tuple[int, ...] | None] | None = None
    low_balance: tuple[int | None] | None = None


def apply_limits(own: OwnLimits, command: SetLimits) -> OwnLimits:
    """The limits with what the command names in the place of what was."""
    changes = dict(command.limits)
    if command.level == "operator":
        own = replace(own, operator=replace(own.operator, **changes))
    else:
        own = replace(own, user=replace(own.user, **changes))
    if command.thresholds is not None:
        own = replace(own, thresholds=command.thresholds[0])
    if command.low_balance is not None:
        own = replace(own, low_balance_microcredits=command.low_balance[0])
    return own


def has_limits(account: Account, command: SetLimits) -> bool:
    """The account's limits are so already, so that a repeated PUT changes nothing."""
    return apply_limits(account.limits, command) == account.limits


def decide_limits(draft: Draft, command: SetLimits) -> Decision:
    """The limits are in force; what the windows counted stays counted."""
    account = draft.account
    account = replace(account, limits=apply_limits(account.limits, command))
    details = show_limits(command.limits)
    if command.thresholds is not None:
        thresholds = command.thresholds[0]
        details["alert_thresholds"] = ",".join(map(str, thresholds)) if thresholds else "default"
    if command.low_balance is not None:
        low = command.low_balance[0]
        details["low_balance"] = "default" if low is None else show_micro(low)
    details["set_by"] = command.level
    entry = post_command(draft, command, account, kind=EntryKind.LIMITS, details=details)
    return draft.decide(entry)


def show_limits(limits: tuple[tuple[str, int | None], ...]) -> dict[str, str]:
    """What a row says of limits that were set, under their names on the wire."""
    return {WIRE_NAMES[name]: _show(limit) for name, limit in limits}


def _show(limit: int | None) -> str:
    return "none" if limit is None else show_micro(limit)
