"""One account as the model keeps it: what happened to it, and what was answered to its keys."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tests.property.days import midnight
from tests.property.model import Happening, Plan, Row, Run, State, due, replay
from tests.property.model_budgets import Part, plan_return, plan_transfer

from .amounts import credits, show_time
from .pricelist import BUDGET, Price, PriceList, Used

# They only describe a try, so two tries of one request may differ in them.
NOT_ASKED = ("metadata", "response_time_ms")


@dataclass(frozen=True)
class Ask:
    """A request that changes something, or would.

    `entry` is the key, the hold or the budget in the path.
    """

    route: str
    account: str
    body: dict[str, Any] | None = None
    key: str = ""
    entry: str = ""
    used: Used | None = None

    def hold(self) -> str:
        """The id of the hold that the request opens."""
        return self.key or (self.body or {}).get("hold_id", "")

    def named(self) -> str:
        """The key under which it is kept, where it is not the caller's."""
        if self.route == "POST /v1/holds":
            return f"h~{self.hold()}~open"
        if self.route == "POST /v1/holds/{hold_id}/release":
            return f"h~{self.entry}~release"
        is_part = not (self.body or {}).get("final", True)
        if self.route == "POST /v1/holds/{hold_id}/settle" and not is_part:
            return f"h~{self.entry}~settle"
        return ""

    def identity(self) -> str:
        """What must be the same in two tries of one request."""
        body = {k: v for k, v in (self.body or {}).items() if k not in NOT_ASKED}
        return json.dumps([self.route, self.entry, body], sort_keys=True)


@dataclass(frozen=True)
class Told:
    """What must be answered: these members, and whether anything is written.

    `others` may be answered as well.
    """

    status: int
    body: dict[str, Any]
    has_effect: bool = False
    is_replay: bool = False
    codes: tuple[str, ...] = ()
    others: tuple[Told, ...] = ()


@dataclass
class Opened:
    """A hold's terms: what was asked for, and the prices it was asked at."""

    ask: Ask
    price: Price
    prices: PriceList


@dataclass
class Kept:
    """A key that was applied: by which request, and what its first answer was."""

    ask: Ask
    told: Told
    answered: Any = None


@dataclass
class Customer:
    """An account. `touched` is when it was last written; its time never goes back behind it.

    `corrections` are what new prices of runs changed of their cost in dollars, in 10^-12.
    `unwritten` rows of that moment are still to come, where a slice of time ended amid them.
    """

    id: str
    prices: PriceList
    plans: dict[str, Plan]
    opened: Happening | None = None
    happened: list[Happening] = field(default_factory=list[Happening])
    kept: dict[str, Kept] = field(default_factory=dict[str, Kept])
    runs: list[Price] = field(default_factory=list[Price])
    terms: dict[str, Opened] = field(default_factory=dict[str, Opened])
    family: dict[str, Customer] = field(default_factory=dict[str, "Customer"])
    corrections: dict[int, int] = field(default_factory=dict[int, int])
    parent: str | None = None
    touched: int = 0
    unwritten: int = 0
    _answers: dict[tuple[str, int, int], State] = field(
        default_factory=dict[tuple[str, int, int], State]
    )

    def state(self, at: int, *, opens_on: str | None = None, opens_in: str | None = None) -> State:
        """The account as a touch would find it; one that nobody touched as it would open."""
        at = max(at, self.touched)
        return self._replay(self.opened or self._open(at, opens_on, opens_in), at)

    def stored(self) -> State | None:
        """The account as it was last written."""
        return None if self.opened is None else self._replay(self.opened, 0)

    def _replay(self, opened: Happening, at: int) -> State:
        """What happened, worked out from the start; the last two questions are remembered."""
        question = (str(opened), len(self.happened), at)
        if question not in self._answers:
            while len(self._answers) > 1:
                self._answers.pop(next(iter(self._answers)))
            self._answers[question] = replay(self.plans, opened, self.happened, at)
        return self._answers[question]

    def happen(
        self,
        at: int,
        what: str,
        *,
        key: str = "",
        opens_on: str | None = None,
        opens_in: str | None = None,
        **facts: Any,
    ) -> State:
        """The account after something was done to it, which opened it where it was new."""
        if self.opened is None:
            self.opened = self._open(at, opens_on, opens_in)
        self.happened.append(Happening(at, what, facts, key))
        state = self._replay(self.opened, 0)
        self.touched, self.unwritten = state.now, 0
        return state

    def plan_transfer(self, at: int, amount: int) -> list[Part]:
        """Which credits would go to a budget."""
        return plan_transfer(deepcopy(self.state(at)), amount)

    def plan_return(self, at: int) -> list[Part]:
        """Which credits would go back to where they came from."""
        return plan_return(self.state(at))

    def rows(self) -> list[Row]:
        """The rows that are written."""
        state = self.stored()
        return [] if state is None else state.rows[: len(state.rows) - self.unwritten]

    def _open(self, at: int, opens_on: str | None, zone: str | None) -> Happening:
        facts: dict[str, Any] = {"low_balance": self.prices.low_balance}
        facts |= {"plan": opens_on or self.prices.default_plan, "zone": zone or self.prices.zone}
        return Happening(at, "open", facts)

    def row(self, key: str) -> Row | None:
        """The row under that key, where it is stored."""
        return next((row for row in reversed(self.rows()) if row.key == key), None)

    def next_due(self) -> int | None:
        """When the sweep should look at the account; None where it was never touched."""
        state = self.stored()
        if state is None:
            return None
        if self.unwritten:
            return self.touched
        open_ones = {n for n, bucket in enumerate(state.buckets) if bucket.remaining}
        open_ones |= {number for held in state.open_holds() for number, _ in held.draws}
        found = [at for at, what, n in due(state) if what in (0, 1, 2) or n in open_ones]
        if any(day == state.today for day, _ in count_runs(self, state)):
            found.append(end_of_day(state))
        return min(found)


def find_row(state: State, key: str) -> Row | None:
    """The row under that key."""
    return next((row for row in reversed(state.rows) if row.key == key), None)


def end_of_day(state: State) -> int:
    """When the account's day ends; a change of zone moves it."""
    if state.waiting_zone is not None:
        return state.waiting_zone_at
    return midnight(state.today + 1, state.zone)


def end_of_month(state: State) -> int:
    """When the account's month ends."""
    first = date.fromordinal(state.today).replace(day=1)
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return midnight(after.toordinal(), state.zone)


# What ran.


@dataclass
class Count:
    """Runs added up. `credits` are net of what was given back."""

    calls: int = 0
    failed: int = 0
    credits: int = 0
    refunded: int = 0
    pico: int = 0
    tokens: dict[str, int] = field(default_factory=dict[str, int])

    def add(self, other: Count, sign: int = 1) -> None:
        """The other one too, or taken away."""
        self.calls += sign * other.calls
        self.failed += sign * other.failed
        self.credits += sign * other.credits
        self.refunded += sign * other.refunded
        self.pico += sign * other.pico
        for pool, tokens in other.tokens.items():
            self.tokens[pool] = self.tokens.get(pool, 0) + sign * tokens

    def is_empty(self) -> bool:
        """There is nothing in it."""
        numbers = (self.calls, self.failed, self.credits, self.refunded, self.pico)
        return not any(numbers) and not any(self.tokens.values())


Place = tuple[str, str | None, str | None]


def count_runs(customer: Customer, state: State) -> dict[tuple[int, Place], Count]:
    """By day, operation, model and label: what ran then, and what was given back then."""
    found: dict[tuple[int, Place], Count] = {}

    def place(number: int) -> Place:
        run = customer.runs[number]
        return run.operation, run.model, run.label

    for number, run in enumerate(state.runs):
        count = found.setdefault((run.day, place(number)), Count())
        count.add(_count_run(customer.runs[number], run))
    for day, number, kind, amount in state.backs:
        count = found.setdefault((day, place(number)), Count())
        if kind == "void":
            count.add(_count_run(customer.runs[number], state.runs[number]), -1)
        elif kind == "rerate":
            count.add(Count(credits=-amount, pico=customer.corrections[number]))
        else:
            count.add(Count(credits=-amount, refunded=amount))
    return {where: count for where, count in found.items() if not count.is_empty()}


def _count_run(price: Price, run: Run) -> Count:
    """A hold is one call, in however many parts it is settled: the first counts it."""
    if run.failed:
        return Count(failed=1)
    calls = 0 if run.is_part else 1
    return Count(calls=calls, credits=run.credits, pico=price.pico or 0, tokens=dict(price.pools))


# How it is shown.


def show_account(customer: Customer, state: State) -> dict[str, Any]:
    """What GET /v1/accounts/{id} must say."""
    plan = state.plans[state.plan]
    refunded = sum(amount for _, _, kind, amount in state.backs if kind != "rerate")
    return {
        "account": customer.id,
        "status": state.status,
        "available": credits(state.available()),
        "spendable": credits(state.spendable()),
        "held": credits(state.held()),
        "debt": credits(state.debt),
        "clawback_debt": credits(state.owed),
        "zone": state.zone,
        "next_zone": state.waiting_zone,
        "name": state.name,
        "parent": customer.parent,
        "seq": len(state.rows),
        "updated_at": show_time(state.now),
        "features": [
            {"feature": name, "used": state.used(name), "limit": limit}
            for name, limit in plan.limits.items()
        ],
        "totals": {
            "granted": credits(state.granted),
            "purchased": credits(state.purchased),
            "spent": credits(state.spent()),
            "expired": credits(state.expired),
            "refunded": credits(refunded),
            "transferred_in": credits(state.received),
            "transferred_out": credits(state.sent),
            "uncollected": credits(sum(row.uncollected for row in state.rows)),
            "clawed_back": credits(state.clawed),
        },
        "windows": _show_windows(state),
        "warnings": _codes(state.available() <= state.low_line()),
    }


def show_plan(state: State) -> dict[str, Any]:
    """What the account says of its plan."""
    return {
        "id": state.plan.removeprefix(BUDGET),
        "driven_by": "calendar",
        "period_start": show_time(state.start),
        "period_end": show_time(state.end, state.zone),
        "allocation": credits(state.plans[state.plan].allocation),
        "used": credits(state.windows()[2]),
        "next_plan": state.waiting_plan,
    }


def show_grants(state: State) -> list[dict[str, Any]]:
    """What the account says of its grants, the oldest first."""
    return [
        {
            "id": bucket.id,
            "kind": bucket.kind,
            "amount": credits(bucket.amount),
            "remaining": credits(bucket.remaining),
            "priority": bucket.priority,
            "effective_at": show_time(bucket.effective),
            "expires_at": None if bucket.expires is None else show_time(bucket.expires),
        }
        for bucket in state.open_buckets()
    ]


def _show_windows(state: State) -> list[dict[str, Any]]:
    ends = (end_of_day(state), end_of_month(state), state.end)
    most = (state.cap("daily"), state.cap("monthly"), state.rule().allocation or None)
    return [
        {
            "window": name,
            "spent": credits(spent),
            "limit": None if limit is None else credits(limit),
            "percent": None if not limit else spent * 100 // limit,
            "resets_at": show_time(at, state.zone),
        }
        for name, spent, limit, at in zip(
            ("day", "month", "period"), state.windows(), most, ends, strict=True
        )
    ]


def show_holds(state: State) -> list[dict[str, Any]]:
    """What the account says of its open holds."""
    return [
        {
            "hold_id": held.id,
            "held": credits(held.rest),
            "operation": held.operation,
            "model": held.model,
            "opened_at": show_time(held.opened),
            "expires_at": show_time(held.expires),
        }
        for held in state.open_holds()
    ]


def _codes(is_low: bool) -> list[str]:
    return ["low_balance"] if is_low else []
