"""Bugs of answers: what is told to who asks again, who is refused, and who is not answered."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

from simulation.planted.bug import Bug, Patches
from simulation.planted.keys import COMMIT, Run, around_run, replayed, under_key
from tollkeeper.domain.draft import Decision
from tollkeeper.domain.entries import Entry, EntryKey
from tollkeeper.domain.errors import InsufficientCreditsError, TollkeeperError
from tollkeeper.service import charging
from tollkeeper.service.commit import Outcome
from tollkeeper.service.ports import World
from tollkeeper.store import ledger
from tollkeeper.store.items import entry_from_item
from tollkeeper.store.keys import entry_key
from tollkeeper.store.ledger import Ledger


def refuse_before_key(patches: Patches) -> None:
    """A refusal is given without looking whether the key was applied."""
    own = COMMIT._certain

    def certain(self: Any, refusal: TollkeeperError | None) -> Outcome | None:
        if self._is_strong and refusal is not None:
            raise refusal
        return own(self, refusal)

    patches.replace(COMMIT, "_certain", certain)


def any_body(patches: Patches) -> None:
    """The key alone is compared, not what was asked for under it."""

    def replay(_: Any, applied: Entry) -> Outcome:
        return Outcome(applied, was_replayed=True)

    patches.replace(COMMIT, "_replay", replay)


def keep_refusals(patches: Patches) -> None:
    """A refusal is remembered under the key like a success."""
    refusals: dict[tuple[str, str], TollkeeperError] = {}

    def run(self: Any, own: Run) -> Outcome:
        place = self._order.account, self._order.key
        if place in refusals:
            raise refusals[place]
        try:
            return own(self)
        except InsufficientCreditsError as refusal:
            refusals[place] = refusal
            raise

    around_run(patches, run)


def replay_at_new_price(patches: Patches) -> None:
    """A repeated request is answered with today's price instead of what it was charged."""
    own_decide, own_replay = vars(charging)["_decide_run"], COMMIT._replay
    prices: dict[EntryKey, int] = {}

    def decide_run(world: World, request: Any, keyed: Any) -> Any:
        if request.has_succeeded:
            try:
                priced = vars(charging)["_ask"](world, request).price()
                prices[keyed.key] = priced.charged_microcredits
            except TollkeeperError:
                pass
        return own_decide(world, request, keyed)

    def replay(self: Any, applied: Any) -> Outcome:
        outcome = own_replay(self, applied)
        moved = prices.get(applied.key, applied.moved_microcredits)
        return replace(outcome, entry=replace(applied, moved_microcredits=moved))

    patches.replace(charging, "_decide_run", decide_run)
    patches.replace(COMMIT, "_replay", replay)


def replay_balance_of_now(patches: Patches) -> None:
    """A repeated request is answered with the balance as it is now."""
    own = COMMIT._replay

    def replay(self: Any, applied: Any) -> Outcome:
        outcome = own(self, applied)
        account = self._world.ledger.read_account(applied.account, is_strong=True)
        after = account.available_microcredits
        return replace(outcome, entry=replace(applied, available_after_microcredits=after))

    patches.replace(COMMIT, "_replay", replay)


def weak_read_of_key(patches: Patches) -> None:
    """Before a refusal the key is looked up in a read that may be stale."""
    own = COMMIT._certain

    def certain(self: Any, refusal: TollkeeperError | None) -> Outcome | None:
        order = self._order
        if self._is_strong and refusal is not None:
            found = self._world.ledger._get(entry_key(order.account, order.key), is_strong=False)
            if found is not None:
                return self._replay(entry_from_item(found))
            raise refusal
        return own(self, refusal)

    patches.replace(COMMIT, "_certain", certain)


def refuse_on_weak_read(patches: Patches) -> None:
    """A refusal is given on a read that may be stale, without a second look."""
    own = COMMIT._certain

    def certain(self: Any, refusal: TollkeeperError | None) -> Outcome | None:
        if refusal is None:
            return own(self, refusal)
        found = replayed(self)
        if found is None:
            raise refusal
        return found

    patches.replace(COMMIT, "_certain", certain)


def believe_lost_write(patches: Patches) -> None:
    """A write whose answer got lost is taken for done."""
    own = Ledger.write_decision

    def write_decision(self: Any, decision: Decision) -> None:
        with suppress(ledger.UnansweredError):
            own(self, decision)

    patches.replace(Ledger, "write_decision", write_decision)


def new_key_for_retry(patches: Patches) -> None:
    """A write whose answer got lost is tried again under another key."""
    own_write, own_decide = COMMIT._write, COMMIT._decide
    again: set[int] = set()

    def decide(self: Any) -> Any:
        decision = own_decide(self)
        if id(self) not in again or decision is None or decision.answer is None:
            return decision
        return under_key(decision, EntryKey(f"{decision.answer.key}-again"))

    def write(self: Any, decision: Decision) -> Any:
        outcome = own_write(self, decision)
        if outcome is None and decision.answer is not None:
            again.add(id(self))
        return outcome

    patches.replace(COMMIT, "_decide", decide)
    patches.replace(COMMIT, "_write", write)


BUGS = (
    Bug("insufficient before applied", "a refusal does not ask for the key", refuse_before_key),
    Bug("any body", "a key replays its answer to another request", any_body),
    Bug("refusal under the key", "a refusal is remembered like a success", keep_refusals),
    Bug("replay at the new price", "a repeat is answered with today's price", replay_at_new_price),
    Bug("replay of now", "a repeat is answered with today's balance", replay_balance_of_now),
    Bug("weak read of the key", "a refusal looks for the key in a stale read", weak_read_of_key),
    Bug("refusal on a weak read", "a refusal is decided on a stale account", refuse_on_weak_read),
    Bug("lost means done", "a write that was not answered is taken for done", believe_lost_write),
    Bug("new key for a retry", "a lost write is tried under another key", new_key_for_retry),
)
