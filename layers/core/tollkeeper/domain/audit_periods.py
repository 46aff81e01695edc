"""Plan periods in their resets: each begins where the last one ended, and none is skipped."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from tollkeeper.domain.account import Account
from tollkeeper.domain.audit_findings import Notes
from tollkeeper.domain.entries import BY_PRORATION, BY_STRIPE, Entry, EntryKind

MOST_A_ZONE_MOVES = timedelta(hours=27)
"""From the midnight of one zone to that of another."""


@dataclass(frozen=True, slots=True)
class Reset:
    """What a reset row says: the period that began, of which plan and generation."""

    seq: int
    generation: int
    start_at: datetime
    end_at: datetime
    plan: str


class Periods:
    """I11: resets are contiguous within what may move them.

    Why: a change of plan ends a period early and a change of zone moves its end, and each raises
    the generation. A zone's own row is written when it is asked for, so one that was asked for
    may explain one move later on.
    """

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._resets: list[Reset] = []
        self._changed: list[int] = []
        self._changed_now: set[int] = set()
        self._raised: dict[int, str] = {}
        self._zones: list[int] = []

    def add(self, entry: Entry) -> None:
        """What the row says of periods is kept."""
        if entry.kind is EntryKind.RESET:
            _, generation, start = entry.key.split(":", 2)
            self._resets.append(
                Reset(
                    seq=entry.seq,
                    generation=int(generation),
                    start_at=datetime.fromisoformat(start),
                    end_at=datetime.fromisoformat(entry.details["period_end"]),
                    plan=entry.details["plan"],
                )
            )
        elif entry.kind is EntryKind.PLAN_CHANGE:
            self._add_change(entry, entry.details["at"])
        elif entry.kind is EntryKind.PROFILE and "zone" in entry.details:
            self._zones.append(entry.seq)

    def _add_change(self, entry: Entry, at: str) -> None:
        """A change that began a period follows its reset; one within a period names the plan.

        Why: what a paid renewal does not roll over expires between the two rows.
        """
        if at == "now":
            self._changed_now.add(entry.seq - 1)
        elif at == BY_PRORATION:
            self._raised[entry.seq] = entry.details["to"]
        elif at in BY_STRIPE:
            self._changed.append(entry.seq)

    def plans(self) -> dict[int, str]:
        """The plan in force from each of these rows on, by seq."""
        return {reset.seq: reset.plan for reset in self._resets} | self._raised

    def end(self, account: Account | None) -> None:
        """Every reset follows the one before it, and the account's period is the last one's."""
        resets = sorted(self._resets, key=lambda reset: reset.seq)
        zones = sorted(self._zones)
        places = [reset.seq for reset in resets]
        began = (bisect_left(places, seq) - 1 for seq in self._changed)
        self._changed_now |= {places[index] for index in began if index >= 0}
        if resets and (resets[0].seq, resets[0].generation) != (1, 1):
            self._note(resets[0], "the ledger does not begin with it")
        used = 0
        for before, after in pairwise(resets):
            asked = len([seq for seq in zones if seq < after.seq]) - used
            used += self._follow(before, after, asked)
        if account is None:
            return
        if not resets:
            self._notes.add("I11", "account", "no period of it has begun")
            return
        self._judge_account(account, resets[-1], len(zones) - used)

    def _follow(self, before: Reset, after: Reset, asked: int) -> int:
        """The one follows the other; returns how many changes of zone it takes to explain it."""
        moved = after.generation - before.generation
        late = after.start_at - before.end_at
        if after.seq in self._changed_now:
            moves = moved - 1
            is_right = moved >= 1 and before.start_at < after.start_at
            is_right = is_right and late <= MOST_A_ZONE_MOVES * max(0, moves)
        else:
            moves = max(moved - 1, 1 if late else 0)
            is_right = moved >= (1 if late else 0)
            is_right = is_right and abs(late) <= MOST_A_ZONE_MOVES * moves
        if not is_right or moves > asked:
            self._note(after, f"the period before it ended at {before.end_at.isoformat()}")
        return min(max(0, moves), asked)

    def _judge_account(self, account: Account, last: Reset, asked: int) -> None:
        plan = account.plan
        moves = plan.generation - last.generation
        late = plan.period_end_at - last.end_at
        raised = max((seq for seq in self._raised if seq > last.seq), default=0)
        plan_id = self._raised.get(raised, last.plan)
        if (plan.id, plan.period_start_at) != (plan_id, last.start_at):
            self._note(last, f"the account is on {plan.id} since {plan.period_start_at}")
        elif not 0 <= moves <= asked or abs(late) > MOST_A_ZONE_MOVES * moves:
            self._note(last, f"the account's period ends at {plan.period_end_at.isoformat()}")
        for what, at in _due_moments(account):
            if at < account.rolled_to:
                self._notes.add("I11", "account", f"{what} at {at.isoformat()} has not happened")

    def _note(self, reset: Reset, what: str) -> None:
        at = reset.start_at.isoformat()
        self._notes.add("I11", f"seq {reset.seq}", f"a period begins at {at}; {what}")


def _due_moments(account: Account) -> Iterator[tuple[str, datetime]]:
    """What time alone does to credits. Why: a day that is over may still wait for a touch."""
    yield "the reset", account.plan.period_end_at
    for hold in account.holds:
        yield f"the expiry of hold {hold.id}", hold.expires_at
    for grant in account.grants:
        if not grant.has_started:
            yield f"the start of {grant.id}", grant.effective_at
        elif grant.expires_at is not None and not grant.has_ended:
            yield f"the end of {grant.id}", grant.expires_at
