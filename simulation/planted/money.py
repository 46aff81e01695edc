"""Bugs of money and time: prices, floors, resets, expiry and days."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from simulation.loop import current
from simulation.money import catalogs
from simulation.planted.bug import Bug, Patches
from simulation.planted.writing import blind_sweep
from tollkeeper.domain import budgets, charges, gate, grants, holds, operating, roll
from tollkeeper.domain.account import Account
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.draft import Draft
from tollkeeper.domain.entries import EntryKey
from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.grants import Grant, GrantKind
from tollkeeper.domain.money import MICRO
from tollkeeper.domain.periods import local_date
from tollkeeper.domain.pricing import run
from tollkeeper.service import charging
from tollkeeper.store.keys import version_key


def no_floor(patches: Patches) -> None:
    """Whether the account can pay is not asked where it counts."""

    def refuse(account: Account, *_: Any) -> None:
        gate.refuse_inactive(account)

    patches.replace(charges, "refuse_unable", refuse)
    patches.replace(holds, "refuse_unable", refuse)


def frozen_spends(patches: Patches) -> None:
    """A frozen or closed account is charged like any other."""

    def refuse(_: Account) -> None:
        return

    patches.replace(gate, "refuse_inactive", refuse)
    patches.replace(budgets, "refuse_inactive", refuse)
    patches.replace(holds, "refuse_inactive", refuse)


def rounded_per_call(patches: Patches) -> None:
    """Every call is rounded down to whole credits, so that small ones cost nothing."""
    own = vars(run)["_charge"]

    def charge(*given: Any, **named: Any) -> Any:
        charged, *others = own(*given, **named)
        return charged // MICRO * MICRO, *others

    patches.replace(run, "_charge", charge)


def price_looked_up_twice(patches: Patches) -> None:
    """The amount comes from the newest price in the table, all else from the process's own."""
    own = charging.price_run

    def price_run(consumption: Any, catalog: Catalog, *standing: Any) -> Any:
        priced = own(consumption, catalog, *standing)
        newest = catalogs()[-1]
        ledger = current().invocation.environment.world.ledger
        if ledger.read_item(version_key(newest.version)) is None:
            return priced
        amount = own(consumption, newest, *standing).charged_microcredits
        return replace(priced, charged_microcredits=amount)

    patches.replace(charging, "price_run", price_run)


def returns_what_is_asked(patches: Patches) -> None:
    """A refund may be larger than the charge."""
    own = vars(charging)["_decide_give_back"]

    def decide(charge: Any, request: Any, keyed: Any) -> Any:
        asked = request.amount_microcredits
        if charge is not None and asked is not None and charge.moved_microcredits < asked:
            charge = replace(charge, moved_microcredits=asked)
        return own(charge, request, keyed)

    patches.replace(charging, "_decide_give_back", decide)


def returns_to_the_dead(patches: Patches) -> None:
    """What is given back goes to its grant, though its time is over."""

    def home_of(_: Any, drawn: Grant) -> Grant:
        return replace(drawn, remaining_microcredits=0)

    patches.replace(grants.Stay, "home_of", home_of)


def reset_overwrites(patches: Patches) -> None:
    """A reset sets the balance to the allocation; what was bought or given is gone."""
    own = roll.allocate

    def allocate(draft: Draft, catalog: Catalog, rolled: Any = (), **named: Any) -> None:
        account, before = draft.account, draft.before
        others = [g for g in account.grants if g.kind is not GrantKind.PLAN and g.has_started]
        lost = sum(grant.remaining_microcredits for grant in others)
        if before is None or not lost:
            own(draft, catalog, rolled, **named)
            return
        kept = tuple(grant for grant in account.grants if grant not in others)
        life = replace(account.lifetime, expired=account.lifetime.expired + lost)
        draft.account = replace(account, grants=kept, lifetime=life)
        post: Any = draft.post

        def post_less(now: Account, **facts: Any) -> Any:
            return post(now, **(facts | {"delta": facts["delta"] - lost}))

        setattr(draft, "post", post_less)  # noqa: B010 - a method is replaced on purpose
        own(draft, catalog, rolled, **named)
        delattr(draft, "post")

    patches.replace(roll, "allocate", allocate)


def reset_at_now(patches: Patches) -> None:
    """A period begins when somebody notices that the last one is over."""
    own = roll.roll

    def roll_(draft: Draft, now: datetime, catalog: Catalog) -> bool:
        moment = roll.next_moment(draft.account)
        if moment.rank == roll.RESET and moment.at <= now:
            plan = replace(draft.account.plan, period_end_at=now)
            draft.account = replace(draft.account, plan=plan)
        return own(draft, now, catalog)

    patches.replace(roll, "roll", roll_)


def reset_keyed_by_now(patches: Patches) -> None:
    """The key of a reset is the moment of the sweep, which alone keeps it from running twice."""
    blind_sweep(patches)
    numbers = iter(range(10**9))

    def reset_key(_: Any) -> EntryKey:
        return EntryKey(f"t#reset:{current().loop.now_us}:{next(numbers)}")

    patches.replace(roll, "reset_key", reset_key)


def day_goes_back(patches: Patches) -> None:
    """A change of zone or a slow clock takes the account back to a day that was closed."""

    def enter_day(account: Account, at: datetime) -> Account:
        return replace(account, today=local_date(at, account.zone))

    patches.replace(roll, "_enter_day", enter_day)


def zone_moves_at_once(patches: Patches) -> None:
    """A new zone holds from the moment that it is asked for."""

    def ask_zone(account: Account, zone: str, now: datetime) -> Account:
        today = local_date(now, zone)
        return replace(account, zone=zone, next_zone="", next_zone_at=None, today=today)

    patches.replace(operating, "_ask_zone", ask_zone)


def void_counts_twice(patches: Patches) -> None:
    """A void gives credits back and leaves the day's totals as they were."""

    def uncount(account: Account, *_: Any, **__: Any) -> Account:
        return account

    patches.replace(charges, "_uncount", uncount)


def counters_survive(patches: Patches) -> None:
    """A plan's counters go on counting in the next period."""
    own = roll.allocate

    def allocate(draft: Draft, catalog: Catalog, rolled: Any = (), **named: Any) -> None:
        features = draft.account.features
        own(draft, catalog, rolled, **named)
        draft.account = replace(draft.account, features=features)

    patches.replace(roll, "allocate", allocate)


def expiry_forgets(patches: Patches) -> None:
    """An expired grant is gone, and what it held stays in the balance of the next row."""
    own = roll.expire_grant

    def expire_grant(draft: Draft, grant_id: str) -> None:
        grant = next(g for g in draft.account.grants if g.id == grant_id)
        if grant.kind is GrantKind.PLAN:
            own(draft, grant_id)
            return
        later = replace(grant, expires_at=None)
        others = tuple(g for g in draft.account.grants if g.id != grant_id)
        draft.account = replace(draft.account, grants=(*others, later))

    patches.replace(roll, "expire_grant", expire_grant)


def failure_charged(patches: Patches) -> None:
    """A run that failed is charged all the same."""
    own = charging.decide_run_failed

    def decide(draft: Draft, command: Any) -> Any:
        catalog = current().invocation.environment.world.catalog
        paid = replace(command, priced=replace(command.priced, charged_microcredits=MICRO))
        try:
            return charges.decide_charge(draft, paid, catalog)
        except InvalidError:
            return own(draft, command)

    patches.replace(charging, "decide_run_failed", decide)


BUGS = (
    Bug("no floor", "nobody asks whether the account can pay", no_floor),
    Bug("frozen spends", "a frozen account is charged", frozen_spends),
    Bug("rounded per call", "small calls cost nothing", rounded_per_call),
    Bug("price looked up twice", "one request, two price versions", price_looked_up_twice),
    Bug("refund above the charge", "more is given back than was charged", returns_what_is_asked),
    Bug("return to the dead", "what is given back goes to an expired grant", returns_to_the_dead),
    Bug("reset overwrites", "a reset loses what was bought", reset_overwrites),
    Bug("reset at now", "a period begins when somebody looks", reset_at_now),
    Bug("reset keyed by now", "two sweeps make two resets", reset_keyed_by_now),
    Bug("the day goes back", "a closed day is counted on again", day_goes_back),
    Bug("zone at once", "a new zone moves the day that is running", zone_moves_at_once),
    Bug("void left in the totals", "stats still count what was given back", void_counts_twice),
    Bug("counters survive", "a plan's counters go on in the next period", counters_survive),
    Bug("promo never ends", "a grant outlives its expiry", expiry_forgets),
    Bug("failure charged", "a run that failed is charged", failure_charged),
)
