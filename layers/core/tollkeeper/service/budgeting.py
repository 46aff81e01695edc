"""Budgets: an account funds another one, and takes back what is left."""

from __future__ import annotations

from tollkeeper.domain.budgets import CloseBudget, Fund, decide_close_budget, decide_fund
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import AccountId
from tollkeeper.service.commit import Order, Outcome, commit
from tollkeeper.service.ports import World


def fund_budget(world: World, parent: AccountId, command: Fund) -> Outcome:
    """The budget has the credits, out of the parent's, in one transaction.

    Raises: as decide_fund, and what commit raises. Cost: two GetItems and one TransactWriteItems.
    """

    def decide(draft: Draft, budget: Draft) -> Decision:
        return decide_fund(draft, budget, command)

    return commit(
        world,
        Order(
            account=parent,
            key=command.key,
            request_hash=command.request_hash,
            decide_both=decide,
            partner=command.budget,
            opens_partner=True,
            may_open=world.catalog.auto_open,
        ),
    )


def close_budget(world: World, parent: AccountId, command: CloseBudget) -> Outcome:
    """The budget is closed and what it held is back.

    Raises: as decide_close_budget, and what commit raises. Cost: as fund_budget.
    """

    def decide(draft: Draft, budget: Draft) -> Decision:
        return decide_close_budget(draft, budget, command)

    return commit(
        world,
        Order(
            account=parent,
            key=command.key,
            request_hash=command.request_hash,
            decide_both=decide,
            partner=command.budget,
            may_open=False,
        ),
    )
