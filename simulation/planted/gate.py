"""Bugs of limits, alerts and budgets."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from simulation.planted.bug import Bug, Patches
from tollkeeper.domain import budgets, draft, gate, limits, roll
from tollkeeper.domain.account import Account, Windows
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.grants import spendable_total
from tollkeeper.store.ledger import Ledger


def alert_twice(patches: Patches) -> None:
    """A window's alerts ring in every row that finds them reached."""
    own = draft.ring

    def ring(account: Account, catalog: Any) -> Any:
        fresh = replace(account, rung=replace(account.rung, day=0, month=0, period=0))
        return own(fresh, catalog)

    patches.replace(draft, "ring", ring)


def low_again(patches: Patches) -> None:
    """A low balance is said in every row that finds it low."""
    own = draft.ring

    def ring(account: Account, catalog: Any) -> Any:
        return own(replace(account, rung=replace(account.rung, is_low=False)), catalog)

    patches.replace(draft, "ring", ring)


def alert_never_again(patches: Patches) -> None:
    """An alert that rang in one window does not ring in the next."""
    own = vars(roll)["_enter_day"]

    def enter_day(account: Account, at: datetime) -> Account:
        return replace(own(account, at), rung=account.rung)

    patches.replace(roll, "_enter_day", enter_day)


def limit_without_holds(patches: Patches) -> None:
    """A limit looks at what was spent, and not at what is held."""
    own = vars(gate)["_refuse_windows"]

    def refuse(account: Account, priced: Any, position: Any, catalog: Any) -> None:
        own(account, priced, replace(position, held_microcredits=0), catalog)

    patches.replace(gate, "_refuse_windows", refuse)


def limit_of_the_plan(patches: Patches) -> None:
    """A user's own limit is not asked for."""
    own = vars(gate)["_refuse_windows"]

    def refuse(account: Account, priced: Any, position: Any, catalog: Any) -> None:
        less = replace(account.limits, user=replace(account.limits.user, day=None, month=None))
        own(replace(account, limits=less), priced, position, catalog)

    patches.replace(gate, "_refuse_windows", refuse)


def edit_forgets(patches: Patches) -> None:
    """A limit that is edited begins to count anew."""
    own = limits.post_command

    def post(draft_: Draft, command: Any, account: Account, **facts: Any) -> Any:
        return own(draft_, command, replace(account, windows=Windows()), **facts)

    patches.replace(limits, "post_command", post)


def window_never_ends(patches: Patches) -> None:
    """What was spent yesterday counts today."""
    own = vars(roll)["_enter_day"]

    def enter_day(account: Account, at: datetime) -> Account:
        return replace(own(account, at), windows=account.windows)

    patches.replace(roll, "_enter_day", enter_day)


def budget_keeps_its_rest(patches: Patches) -> None:
    """A budget is closed with its credits in it."""

    def spendable(_: Any) -> int:
        return 0

    def take_back(draft_: Draft, _: Any) -> Any:
        return vars(budgets)["_Back"](draft_.account)

    def empty(budget: Draft, command: Any, _: int, seq: int) -> None:
        kept, life = budget.account.grants, budget.account.lifetime
        own(budget, command, spendable_total(kept), seq)
        closed = replace(budget.account, grants=kept, lifetime=life)
        budget.account = closed
        _rewrite_last(budget)

    own = vars(budgets)["_empty"]
    patches.replace(budgets, "spendable_total", spendable)
    patches.replace(budgets, "_take_back", take_back)
    patches.replace(budgets, "_empty", empty)


def _rewrite_last(budget: Draft) -> None:
    """The last row says that nothing moved."""
    after = budget.account.available_microcredits
    budget.entries[-1] = replace(
        budget.entries[-1],
        delta_microcredits=0,
        moved_microcredits=0,
        available_after_microcredits=after,
        draws=(),
    )


def budget_rest_expires(patches: Patches) -> None:
    """What a closed budget held is lost."""

    def home_of(*_: Any) -> None:
        return None

    patches.replace(budgets, "_home_of", home_of)


def one_side_only(patches: Patches) -> None:
    """A transfer is written to the account that asked for it, and not to the other one."""
    own = Ledger.write_decision

    def write_decision(self: Any, decision: Decision) -> None:
        also = tuple(each for each in decision.also if not isinstance(each, Decision))
        own(self, replace(decision, also=also))

    patches.replace(Ledger, "write_decision", write_decision)


def transfer_in_two_writes(patches: Patches) -> None:
    """A transfer is written to one account and then to the other."""
    own = Ledger.write_decision

    def write_decision(self: Any, decision: Decision) -> None:
        others = [each for each in decision.also if isinstance(each, Decision)]
        also = tuple(each for each in decision.also if each not in others)
        own(self, replace(decision, also=also))
        for other in others:
            own(self, other)

    patches.replace(Ledger, "write_decision", write_decision)


BUGS = (
    Bug("alert twice", "an alert rings twice in its window", alert_twice),
    Bug("low again and again", "a low balance rings in every row", low_again),
    Bug("alert never again", "an alert does not ring in the next window", alert_never_again),
    Bug("limit without holds", "a limit does not count what is held", limit_without_holds),
    Bug("only the plan's limit", "a user's limit is not asked for", limit_of_the_plan),
    Bug("edit forgets", "an edited limit counts anew", edit_forgets),
    Bug("window never ends", "yesterday's spending counts today", window_never_ends),
    Bug("budget keeps its rest", "a closed budget keeps its credits", budget_keeps_its_rest),
    Bug("budget's rest expires", "what a closed budget held is lost", budget_rest_expires),
    Bug("one side only", "a transfer is written to one account", one_side_only),
    Bug("transfer in two writes", "a transfer is two writes", transfer_in_two_writes),
)
