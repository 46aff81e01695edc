"""Holds, limits and budgets for unit tests, each said in one line."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tests.unit.building import CATALOG, ONE, a_key, a_run, done, draft_of
from tollkeeper.domain.account import Account
from tollkeeper.domain.budgets import CloseBudget, Fund, decide_close_budget, decide_fund
from tollkeeper.domain.catalog import Catalog, PlanTerms, SettlePolicy
from tollkeeper.domain.draft import Decision
from tollkeeper.domain.entries import AccountId, Entry, hold_key
from tollkeeper.domain.grants import Draw
from tollkeeper.domain.holds import (
    Extend,
    OpenHold,
    Release,
    Settle,
    decide_extend,
    decide_hold,
    decide_late_settle,
    decide_release,
    decide_settle,
    find_expired,
)
from tollkeeper.domain.limits import Level, SetLimits, decide_limits
from tollkeeper.domain.pricing import Priced
from tollkeeper.domain.roll import begin

QUARTER = timedelta(minutes=15)
BUDGET = AccountId("team_1")
NOT_NAMED = -1


def costing(credits: float, run: Priced | None = None) -> Priced:
    """A run at that price in credits."""
    return replace(run or a_run("sms"), charged_microcredits=round(credits * ONE))


def with_plan(catalog: Catalog = CATALOG, **terms: Any) -> Catalog:
    """The catalog with other terms for its free plan."""
    free: PlanTerms = replace(catalog.plan("free"), **terms)
    return replace(catalog, plans={**catalog.plans, "free": free})


def settling(policy: SettlePolicy, overdraft: int = 0) -> Catalog:
    """The catalog with that policy, and so many credits of overdraft, on its free plan."""
    return with_plan(settle_above_hold=policy, overdraft_microcredits=overdraft * ONE)


def opened(
    account: Account,
    credits: float = 5,
    *,
    hold: str = "h1",
    run: Priced | None = None,
    at: datetime | None = None,
    stays: timedelta = QUARTER,
    catalog: Catalog = CATALOG,
) -> tuple[Account, Entry]:
    """The account with so many credits in a hold, and the row."""
    command = OpenHold(hold, "h", costing(credits, run), stays)
    return done(decide_hold(draft_of(account, at, catalog), command, catalog))


def settled(
    account: Account,
    credits: float,
    *,
    hold: str = "h1",
    part: str = "",
    run: Priced | None = None,
    at: datetime | None = None,
    catalog: Catalog = CATALOG,
) -> tuple[Account, Entry]:
    """The account after the hold was settled at so many credits, or a part of it."""
    key = a_key(part) if part else hold_key(hold, "settle")
    command = Settle(hold, key, "h", costing(credits, run), is_final=not part)
    return done(decide_settle(draft_of(account, at, catalog), command, catalog))


def settled_late(
    account: Account,
    credits: float,
    *,
    hold: str = "h1",
    run: Priced | None = None,
    at: datetime,
    catalog: Catalog = CATALOG,
) -> Decision:
    """The decision on a settle whose hold the time before it closes."""
    draft = draft_of(account, at, catalog)
    expired = find_expired(draft, hold)
    assert expired is not None
    command = Settle(hold, hold_key(hold, "settle"), "h", costing(credits, run))
    return decide_late_settle(draft, command, catalog, terms=expired.terms)


def released(
    account: Account, hold: str = "h1", *, at: datetime | None = None, catalog: Catalog = CATALOG
) -> tuple[Account, Entry]:
    """The account with the hold given back, and the row."""
    return done(decide_release(draft_of(account, at, catalog), Release(hold, "h", "it failed")))


def extended(
    account: Account, stays: timedelta, *, key: str = "longer", at: datetime | None = None
) -> tuple[Account, Entry]:
    """The account with its hold open for so long from now, and the row."""
    command = Extend("h1", a_key(key), "h", stays)
    return done(decide_extend(draft_of(account, at), command))


def capped(account: Account, name: str, credits: int) -> Account:
    """The account with a limit of the operator's, `day`, `month` or `run`."""
    values: dict[str, Any] = {name: credits}
    return limited(account, **values)[0]


def limited(
    account: Account,
    level: Level = "operator",
    *,
    at: datetime | None = None,
    catalog: Catalog = CATALOG,
    thresholds: tuple[tuple[int, ...] | None] | None = None,
    low: tuple[int | None] | None = None,
    day: int | None = NOT_NAMED,
    month: int | None = NOT_NAMED,
    run: int | None = NOT_NAMED,
) -> tuple[Account, Entry]:
    """The account with limits of whole credits; None takes one away."""
    named = (("day", day), ("month", month), ("run", run))
    limits = tuple(
        (name, None if credits is None else credits * ONE)
        for name, credits in named
        if credits != NOT_NAMED
    )
    command = SetLimits(
        a_key("limits"),
        "h",
        "r",
        level=level,
        limits=limits,
        thresholds=thresholds,
        low_balance=low,
    )
    return done(decide_limits(draft_of(account, at, catalog), command))


def funded(
    parent: Account,
    credits: float,
    budget: Account | None = None,
    *,
    name: AccountId = BUDGET,
    at: datetime | None = None,
    limits: dict[str, int | None] | None = None,
    catalog: Catalog = CATALOG,
) -> tuple[Account, Account, Decision]:
    """The parent, the budget and the decision after the parent gave it so many credits."""
    draft = draft_of(parent, at, catalog)
    other, is_rolled = begin(
        budget,
        name,
        now=draft.at,
        catalog=catalog,
        plan_id=parent.plan.id,
        zone=parent.zone,
        parent=parent.id,
    )
    assert is_rolled
    command = Fund(
        a_key("fund"),
        "h",
        "r",
        budget=name,
        amount_microcredits=round(credits * ONE),
        limits=tuple((limits or {}).items()),
    )
    decision = decide_fund(draft, other, command)
    (also,) = decision.also
    assert isinstance(also, Decision)
    return decision.account, also.account, decision


def closed(
    parent: Account,
    budget: Account,
    *,
    at: datetime | None = None,
    catalog: Catalog = CATALOG,
) -> tuple[Account, Account, Decision]:
    """The parent, the budget and the decision after the budget was closed."""
    draft = draft_of(parent, at, catalog)
    other, _ = begin(budget, budget.id, now=draft.at, catalog=catalog)
    command = CloseBudget(a_key("close"), "h", "r", budget=budget.id)
    decision = decide_close_budget(draft, other, command)
    (also,) = decision.also
    assert isinstance(also, Decision)
    return decision.account, also.account, decision


def rolled(account: Account, at: datetime, catalog: Catalog = CATALOG) -> Decision:
    """The decision that only applies the time up to that moment."""
    return draft_of(account, at, catalog).decide(None)


def kinds(decision: Decision) -> list[str]:
    """The kinds of the rows that are written."""
    return [entry.kind.value for entry in decision.entries]


def remaining(account: Account) -> dict[str, float]:
    """What each grant holds, in credits; the empty ones that a hold keeps among them."""
    return {grant.id: grant.remaining_microcredits / ONE for grant in account.grants}


def moved(draws: tuple[Draw, ...]) -> list[tuple[str, float]]:
    """Which grants, and how many credits of each."""
    return [(draw.grant.id, draw.amount_microcredits / ONE) for draw in draws]
