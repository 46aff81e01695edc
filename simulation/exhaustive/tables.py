"""The tables that two requests meet on, each prepared once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from simulation.asking import HOLD, Asked
from simulation.deployment import deployed
from simulation.exhaustive.stage import Prepared, Stage, empty
from simulation.gate_stories import FUND, budgets_of
from simulation.loop import EPOCH
from simulation.short import shard_of
from simulation.stripe_side import Bought

ACCOUNT = "ada"
CHILD = budgets_of(ACCOUNT)[0]
QUIET = datetime(2026, 11, 30, 12, tzinfo=UTC)
# Half a second after the account's month, its plan's period and its day are over.
DUE = datetime(2026, 12, 1, 0, 0, 0, 500_000, tzinfo=UTC)
CHARGE = "c0"
HELD = "h0"
PAGED = "p0"
WAITS = "q0"
UNKNOWN_RUN = {"operation": "ask", "model": "newest", "usage": {"input": 60, "output": 40}}
HELD_S = 60
SWEEP = "sweep"
RETURNS = {"success_url": "http://localhost:3000/paid", "cancel_url": "http://localhost:3000/packs"}


@dataclass
class Meeting:
    """What the two requests of one history are, made anew for each."""

    asked: list[Asked | None]
    bought: list[Bought] = field(default_factory=list[Bought])


@dataclass(frozen=True, slots=True)
class Pair:
    """Two requests that meet. `table`: what there is, and when.

    `is_even`: the two differ in nothing but the names of their keys, so that it does not matter
    which of them comes first. `is_timed`: how long a request takes decides what it finds, so that
    no order of the two says how they must end. `ahead_s`: the clock of the second one is so far
    ahead of the first one's.
    """

    name: str
    make: Callable[[Prepared], Meeting]
    table: str = "quiet"
    is_even: bool = False
    is_timed: bool = False
    ahead_s: int = 0

    def prepared(self) -> Prepared:
        """The table that they meet on."""
        return prepare(self.table)


def ask_of(route: str, body: Any, key: str, expects: tuple[int, ...], **more: Any) -> Asked:
    """A request; about the account, unless said otherwise."""
    place = {"id": ACCOUNT} if "{id}" in route else {}
    asked = Asked(key, route, ACCOUNT, body, more.get("header", key), expects=expects)
    asked.path = more.get("path", place)
    asked.account = more.get("account", ACCOUNT)
    asked.partner = more.get("partner", "")
    return asked


def charge_of(account: str, key: str, run: dict[str, Any]) -> Asked:
    """A request to charge a run."""
    body = {"account": account, **run}
    return ask_of("POST /v1/deduct", body, key, (200, 402, 403, 422), account=account)


def checkout_of(key: str, pack: str = "small") -> Asked:
    """A request for a payment page."""
    body = {"account": ACCOUNT, "pack": pack, **RETURNS}
    return ask_of("POST /v1/checkout", body, key, (201, 422))


def hold_of(account: str, key: str, **members: Any) -> Asked:
    """A request to set credits aside."""
    body = {"account": account, "operation": "text", **members}
    return ask_of(HOLD, body, key, (201, 402, 403, 422, 429), account=account)


def fund_of(key: str, amount: int) -> Asked:
    """A request to give the budget credits."""
    body = {"budget": CHILD, "amount": amount}
    return ask_of(FUND, body, key, (201, 402, 403, 422), partner=CHILD)


def purchase_of(prepared: Prepared, name: str) -> str:
    """The id of a purchase that was prepared."""
    asked = next(each for each in prepared.asked if each.key == name)
    return str(asked.attempts[0].body["purchase_id"])


def sweep_event() -> dict[str, Any]:
    """What the schedule sends for the account's shard."""
    return {"shards": [shard_of(ACCOUNT)]}


@lru_cache(maxsize=10)
def prepare(table: str) -> Prepared:
    """The table of that name.

    quiet, due: 11 credits, a charge to give back, two purchases to pay; due is a month later.
    held, edge, ended, late, over: of those credits 5 are held for a minute, 3 are in a budget and
    3 are left. It is early in that minute; its last moment; just after it; after it was swept;
    in the next month, with a hold that goes on.
    paged: one page was free, and a hold for more is open. waits: a charge of a model that only
    the version that is there now has a price for.
    """
    stage = Stage(empty(QUIET))
    with deployed(stage.deployment):
        stage.ask(charge_of(ACCOUNT, CHARGE, {"operation": "video"}))
        if table in ("quiet", "due"):
            for name in ("p0", "p1"):
                stage.ask(checkout_of(name))
        elif table == "paged":
            stage.ask(charge_of(ACCOUNT, PAGED, {"operation": "page"}))
            body = {"operation": "page", "estimate": 4, "expires_in_s": 24 * 60 * 60}
            stage.ask(hold_of(ACCOUNT, HELD, **body))
        elif table == "waits":
            stage.ask(charge_of(ACCOUNT, WAITS, UNKNOWN_RUN))
        else:
            _hold(stage, table)
    assert all(asked.attempts[0].status in (200, 201) for asked in stage.asked)
    return stage.keep(_moment_of(table, stage), version=int(table == "waits"))


def _hold(stage: Stage, table: str) -> None:
    stays_s = 24 * 60 * 60 if table == "over" else HELD_S
    stage.ask(hold_of(ACCOUNT, HELD, estimate=5, expires_in_s=stays_s))
    stage.ask(fund_of("f0", 3))
    if table == "late":
        stage.loop.now_us += (HELD_S + 1) * 1_000_000
        stage.deployment.invoke("period_reset", sweep_event())
        stage.loop.run()


def _moment_of(table: str, stage: Stage) -> datetime:
    if table in ("due", "over"):
        return DUE
    if table == "late":
        return QUIET + timedelta(minutes=10)
    if table in ("edge", "ended"):
        hold = stage.watch.accounts[ACCOUNT].account.holds[0]
        return hold.expires_at + timedelta(milliseconds=-2 if table == "edge" else 500)
    return EPOCH + timedelta(microseconds=stage.loop.now_us + 1_000_000)
