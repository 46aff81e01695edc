"""Bugs of holds: what is set aside comes back twice, not at all, or is charged twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

from simulation.planted.bug import Bug, Patches
from simulation.planted.keys import under_key
from tollkeeper.domain import holds, returns, roll
from tollkeeper.domain.account import Account
from tollkeeper.domain.catalog import SettlePolicy
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import Entry, EntryKey, EntryKind, hold_key
from tollkeeper.domain.errors import BusyError, HoldClosedError
from tollkeeper.domain.grants import Grant
from tollkeeper.domain.held import Hold
from tollkeeper.domain.inflow import bring_back
from tollkeeper.service import charging, holding
from tollkeeper.service.commit import Order, Outcome, commit
from tollkeeper.service.ports import World


def release_after_expiry(patches: Patches) -> None:
    """A hold whose time was over gives its credits back once more when it is released."""
    own = vars(holding)["_change"]

    def change(world: World, request: Any, keyed: Any, decide: Any) -> Outcome:
        try:
            return own(world, request, keyed, decide)
        except HoldClosedError as closed:
            opening = world.ledger.read_entry(request.account, hold_key(request.hold_id, "open"))
            if closed.state != "expired" or opening is None or not keyed.key.endswith("#release"):
                raise
            amount = opening.moved_microcredits

        def again(draft: Draft) -> Decision:
            return _bring_again(draft, keyed, amount, request.hold_id)

        return commit(
            world, Order(request.account, keyed.key, keyed.request_hash, again, may_open=False)
        )

    patches.replace(holding, "_change", change)


def _bring_again(draft: Draft, keyed: Any, amount: int, hold_id: str) -> Decision:
    account, grant = bring_back(draft, draft.account, amount)
    life = account.lifetime
    entry = draft.post(
        replace(account, lifetime=replace(life, spent=life.spent - amount)),
        key=keyed.key,
        kind=EntryKind.RELEASE,
        delta=amount,
        moved_microcredits=amount,
        hold=hold_id,
        request_hash=keyed.request_hash,
        grant=grant,
    )
    return draft.decide(entry)


def _unkeyed_settle(patches: Patches, name: str) -> None:
    """The row of that kind of settle is under a key that nobody asks for again."""
    own = vars(holding)[name]
    numbers = count()

    def decide(*given: Any, **named: Any) -> Decision:
        decision = own(*given, **named)
        assert decision.answer is not None
        if not decision.answer.key.startswith("h#"):
            return decision
        return under_key(decision, EntryKey(f"{decision.answer.key}-{next(numbers)}"))

    patches.replace(holding, name, decide)


def settle_without_key(patches: Patches) -> None:
    """A settle leaves nothing under its key, and a hold that is gone is taken for expired."""
    _unkeyed_settle(patches, "_decide_settle")
    own = vars(holding)["_find_state"]

    def find_state(world: World, account: Any, hold_id: str) -> tuple[Entry, str]:
        try:
            return own(world, account, hold_id)
        except BusyError:
            opening = world.ledger.read_entry(account, hold_key(hold_id, "open"))
            if opening is None:
                raise
            return opening, "expired"

    patches.replace(holding, "_find_state", find_state)


def late_settle_again(patches: Patches) -> None:
    """A settle after the end is charged as often as it is asked for."""
    _unkeyed_settle(patches, "_decide_late")


def settle_after_release(patches: Patches) -> None:
    """A hold that was released is charged late."""

    def find_late(world: World, request: Any) -> Entry:
        opening, state = vars(holding)["_find_state"](world, request.account, request.hold_id)
        if state not in ("expired", "released") or not request.is_final:
            raise HoldClosedError(request.hold_id, state)
        return opening

    patches.replace(holding, "_find_late", find_late)


def ends_without_row(patches: Patches) -> None:
    """A hold whose time is over is gone from the account, and no row says so."""

    def expire_hold(draft: Draft, hold_id: str) -> None:
        hold = returns.find_hold(draft.account, hold_id)
        assert hold is not None
        own: Any = draft
        before = draft.account.available_microcredits
        draft.account = returns.free_rest(draft, draft.account, hold).account
        own._explained += draft.account.available_microcredits - before
        own._held = draft.account.held_microcredits

    patches.replace(roll, "expire_hold", expire_hold)


def emptied_grants_are_gone(patches: Patches) -> None:
    """What comes back to a grant that the hold had used up is lost with it."""
    own = vars(returns)["_share_out"]

    def share_out(account: Account, draws: Any, debt: int) -> Any:
        ended = tuple(
            grant if grant.remaining_microcredits else replace(grant, has_ended=True)
            for grant in account.grants
        )
        return own(replace(account, grants=ended), draws, debt)

    patches.replace(returns, "_share_out", share_out)


def returns_to_the_ended(patches: Patches) -> None:
    """What comes back to a grant whose time was over is good again."""
    own = vars(returns)["_share_out"]

    def share_out(account: Account, draws: Any, debt: int) -> Any:
        alive = tuple(replace(grant, has_ended=False) for grant in account.grants)
        return own(replace(account, grants=alive), draws, debt)

    def give(grant: Grant, amounts: dict[str, int]) -> Grant:
        more = amounts.get(grant.id, 0)
        rest = grant.remaining_microcredits + more
        return replace(grant, remaining_microcredits=rest, has_ended=grant.has_ended and not more)

    patches.replace(returns, "_share_out", share_out)
    patches.replace(returns, "_give", give)


def price_of_today(patches: Patches) -> None:
    """A settle is priced with today's prices, whatever its hold was opened with."""

    def pinned_catalog(world: World, _: str) -> Any:
        return world.catalog

    patches.replace(holding, "pinned_catalog", pinned_catalog)


def policy_of_today(patches: Patches) -> None:
    """What is above a hold goes as the account's plan says now, not as it said at the opening."""
    own = holds.decide_settle

    def decide_settle(draft: Draft, command: Any, catalog: Any) -> Decision:
        now = catalog.plan(draft.account.plan.id).settle_above_hold
        changed = tuple(
            replace(hold, terms=replace(hold.terms, above_hold=now)) for hold in draft.account.holds
        )
        draft.account = replace(draft.account, holds=changed)
        return own(draft, command, catalog)

    patches.replace(holding, "decide_settle", decide_settle)


def quote_forgotten(patches: Patches) -> None:
    """A quote is looked at and its prices are not."""
    own = charging.apply_quote

    def apply_quote(world: World, *given: Any) -> Any:
        return replace(own(world, *given), catalog=world.catalog)

    patches.replace(charging, "apply_quote", apply_quote)


def feature_not_given_back(patches: Patches) -> None:
    """A run that did not happen stays counted in its plan's counter."""

    def uncount(account: Account, _: Hold) -> Account:
        return account

    patches.replace(returns, "uncount_feature", uncount)


def feature_counted_twice(patches: Patches) -> None:
    """A run counts where its hold is opened and again where it is settled."""
    own: Callable[..., Account] = vars(holds)["_count"]

    def count_(account: Account, run: Any, amount: int, *, hold: Hold, catalog: Any) -> Account:
        terms = replace(hold.terms, feature_count=0)
        return own(account, run, amount, hold=replace(hold, terms=terms), catalog=catalog)

    patches.replace(holds, "_count", count_)


def more_is_debt(patches: Patches) -> None:
    """What is above a hold becomes debt on every plan."""
    own = vars(holds)["pay_more"]

    def pay_more(account: Account, amount: int, catalog: Any, _: SettlePolicy) -> Any:
        return own(account, amount, catalog, SettlePolicy.DEBT)

    patches.replace(holds, "pay_more", pay_more)


def part_frees_all(patches: Patches) -> None:
    """A part of a stream closes its hold, and the next part finds none."""
    own = holds.decide_settle

    def decide_settle(draft: Draft, command: Any, catalog: Any) -> Decision:
        return own(draft, replace(command, is_final=True), catalog)

    patches.replace(holding, "decide_settle", decide_settle)


BUGS = (
    Bug("release after expiry", "an expired hold returns again", release_after_expiry),
    Bug("settle without a key", "a settle counts as often as asked", settle_without_key),
    Bug("late settle again", "a late settle counts as often as asked", late_settle_again),
    Bug("settle after release", "a released hold is charged", settle_after_release),
    Bug("ends without a row", "a hold expires by the clock alone", ends_without_row),
    Bug(
        "used-up grants are gone",
        "what returns to a used-up grant is lost",
        emptied_grants_are_gone,
    ),
    Bug("return to the ended", "what returns to an expired grant is good", returns_to_the_ended),
    Bug("price of today", "a settle has today's price", price_of_today),
    Bug("policy of today", "a settle goes by today's plan", policy_of_today),
    Bug("quote forgotten", "a quoted run has today's price", quote_forgotten),
    Bug("feature not given back", "a released run stays counted", feature_not_given_back),
    Bug("feature counted twice", "a held run counts again when settled", feature_counted_twice),
    Bug("more is debt", "what is above a hold is debt on every plan", more_is_debt),
    Bug("part closes all", "a part of a stream closes its hold", part_frees_all),
)
