"""What must hold for every hold after every single write: what was set aside is somewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from simulation.money import terms_of
from tollkeeper.domain.account import Account
from tollkeeper.domain.entries import Entry, EntryKind
from tollkeeper.domain.grants import Draw, Grant, GrantKind

Blame = Callable[[str, str, str], None]


@dataclass(frozen=True, slots=True)
class Seen:
    """A hold as its rows tell of it. Units: micro-credits."""

    opened: int
    left: int
    expires_at: datetime
    price_version: str
    policy: str
    draws: tuple[Draw, ...] = ()
    state: str = "open"
    has_late: bool = False


@dataclass
class HoldBook:
    """All holds of one account by id, what its rows say is held, and which grants are over."""

    seen: dict[str, Seen] = field(default_factory=dict[str, Seen])
    held: int = 0
    ended: set[str] = field(default_factory=set[str])

    def copy(self) -> HoldBook:
        """The same; what is noted in one is not in the other."""
        return HoldBook(dict(self.seen), self.held, set(self.ended))

    def see(self, account: Account, entries: list[Entry], *, version: str, blame: Blame) -> None:
        """The rows of one write are judged: I9, and what may be collected."""
        for entry in entries:
            for rule, what in self._judge(account, entry, version):
                blame(rule, f"{account.id} {entry.key}", what)
        mine = {name: each.left for name, each in self.seen.items() if each.state == "open"}
        there = {hold.id: hold.amount_microcredits for hold in account.holds}
        if mine != there:
            blame("I9", account.id, f"holds {there} where its rows leave {mine}")
        ends = {hold.id: hold.expires_at for hold in account.holds}
        if any(self.seen[name].expires_at != ends[name] for name in mine if name in ends):
            blame("I9", account.id, f"holds end at {ends}, which their rows do not say")

    def _judge(self, account: Account, entry: Entry, version: str) -> Iterator[tuple[str, str]]:
        before = self.held
        match entry.kind:
            case EntryKind.HOLD:
                yield from self._open(account, entry, version)
            case EntryKind.SETTLE if "late" in entry.details:
                yield from self._settle_late(account, entry, version)
            case EntryKind.SETTLE:
                yield from self._settle(account, entry, version)
            case EntryKind.RELEASE | EntryKind.HOLD_EXPIRED:
                yield from self._free(account, entry)
            case EntryKind.HOLD_EXTENDED:
                yield from self._extend(entry)
            case EntryKind.EXPIRE:
                self.ended.add(entry.key.removeprefix("t#expire:"))
            case _:
                pass
        if entry.held_change_microcredits != self.held - before:
            yield "I9", f"says {entry.held_change_microcredits}, held {before} and then {self.held}"
        if entry.held_after_microcredits != self.held:
            yield "I9", f"says {entry.held_after_microcredits} are held, rows say {self.held}"
        if entry.kind is EntryKind.SETTLE and entry.uncollected_microcredits:
            yield from self._judge_uncollected(account, entry, version)

    def _open(self, account: Account, entry: Entry, version: str) -> Iterator[tuple[str, str]]:
        amount = entry.moved_microcredits
        if entry.hold in self.seen:
            yield "I9", "opened a second time"
        if entry.delta_microcredits != -amount:
            yield "I9", f"holds {amount} and takes {-entry.delta_microcredits}"
        assert entry.run is not None
        ends_at = datetime.fromisoformat(entry.details["expires_at"])
        priced, policy = entry.run.price_version, terms_of(version, account.plan.id).policy
        if account.parent and policy == "debt":
            policy = "charge_available"  # nobody pays the debt of a budget
        self.seen[entry.hold] = Seen(amount, amount, ends_at, priced, policy, entry.draws)
        self.held += amount

    def _settle(self, account: Account, entry: Entry, version: str) -> Iterator[tuple[str, str]]:
        hold = self.seen.get(entry.hold)
        if hold is None or hold.state != "open":
            yield "I9", f"settles a hold that is {hold and hold.state}"
            return
        asked = entry.moved_microcredits + entry.uncollected_microcredits
        used = min(asked, hold.left)
        is_part = "part" in entry.details
        released = 0 if is_part else hold.left - used
        if int(entry.details.get("released_microcredits", "0")) != released:
            yield "I9", f"uses {used} of {hold.left} and says {dict(entry.details)} is released"
        more = entry.moved_microcredits - used
        if entry.delta_microcredits != released - entry.expired_microcredits - more:
            yield "I9", f"{entry.delta_microcredits} for {released} back and {more} more"
        yield from self._judge_freed(account, entry, released)
        yield from self._judge_more(account, entry, version, more)
        if asked > used and hold.policy == "reject":
            yield "I9", f"charges {asked} for a hold of {hold.left}, which its terms reject"
        if (more or entry.uncollected_microcredits) and "above_hold" not in entry.warnings:
            yield "I16", "is above its hold and does not say so"
        left = hold.left - used if is_part else 0
        self.held -= hold.left - left
        self._note(entry, replace(hold, left=left, state="open" if is_part else "settled"))

    def _settle_late(
        self, account: Account, entry: Entry, version: str
    ) -> Iterator[tuple[str, str]]:
        hold = self.seen.get(entry.hold)
        if hold is None or hold.state != "expired" or hold.has_late:
            yield "I9", f"settles late what is {hold and (hold.state, hold.has_late)}"
            return
        if entry.delta_microcredits != -entry.moved_microcredits or entry.settled:
            yield "I9", "takes credits out of a hold that is closed"
        yield from self._judge_more(account, entry, version, entry.moved_microcredits)
        if "late" not in entry.warnings:
            yield "I16", "is late and does not say so"
        self._note(entry, replace(hold, has_late=True))

    def _free(self, account: Account, entry: Entry) -> Iterator[tuple[str, str]]:
        hold = self.seen.get(entry.hold)
        if hold is None or hold.state != "open":
            yield "I9", f"closes a hold that is {hold and hold.state}"
            return
        if entry.moved_microcredits != hold.left:
            yield "I9", f"frees {entry.moved_microcredits} of {hold.left}"
        if entry.delta_microcredits != hold.left - entry.expired_microcredits:
            yield "I9", f"{entry.delta_microcredits} for {hold.left} back"
        yield from self._judge_freed(account, entry, hold.left)
        is_over = entry.kind is EntryKind.HOLD_EXPIRED
        if is_over and entry.at < hold.expires_at:
            yield "I9", f"expired at {entry.at}, {hold.expires_at} was said"
        self.held -= hold.left
        self._note(entry, replace(hold, left=0, state="expired" if is_over else "released"))

    def _extend(self, entry: Entry) -> Iterator[tuple[str, str]]:
        hold = self.seen.get(entry.hold)
        if hold is None or hold.state != "open":
            yield "I9", f"extends a hold that is {hold and hold.state}"
            return
        ends_at = datetime.fromisoformat(entry.details["expires_at"])
        if ends_at < hold.expires_at or entry.delta_microcredits:
            yield "I9", f"from {hold.expires_at} to {ends_at}, by {entry.delta_microcredits}"
        self._note(entry, replace(hold, expires_at=ends_at))

    def _judge_freed(
        self, account: Account, entry: Entry, amount: int
    ) -> Iterator[tuple[str, str]]:
        """What went back is in grants, has paid debt, or has expired with a grant that is over."""
        grant = entry.grant.remaining_microcredits if entry.grant is not None else 0
        borrowed = entry.moved_microcredits - _used(entry) - _sum(entry, "draws")
        paid = (borrowed if entry.kind is EntryKind.SETTLE else 0) - entry.debt_change_microcredits
        found = _sum(entry, "returned") + entry.expired_microcredits + grant + paid
        if found != amount:
            yield "I9", f"{amount} went back, of which {found} arrived"
        over = sum(
            draw.amount_microcredits
            for draw in self.seen[entry.hold].draws
            if self._is_over(draw.grant, account, entry.at)
        )
        if entry.expired_microcredits > over:
            yield "I9", f"{entry.expired_microcredits} expire, of {over} from grants that are over"

    def _is_over(self, grant: Grant, account: Account, at: datetime) -> bool:
        """The grant can take nothing back: by its row, by its end, or with its plan's period."""
        is_old = grant.kind is GrantKind.PLAN and grant.effective_at < account.plan.period_start_at
        is_past = grant.expires_at is not None and grant.expires_at <= at
        return is_old or is_past or grant.id in self.ended

    def _judge_more(
        self, account: Account, entry: Entry, version: str, more: int
    ) -> Iterator[tuple[str, str]]:
        """What is taken beyond a hold leaves no more debt than the plan allows."""
        is_debt = self.seen[entry.hold].policy == "debt"
        after = entry.available_after_microcredits
        if more and not is_debt and after < _floor_of(account, version):
            yield "I3", f"takes {more} beyond its hold, down to {after}"

    def _judge_uncollected(
        self, account: Account, entry: Entry, version: str
    ) -> Iterator[tuple[str, str]]:
        """Nothing is left uncollected while there is something to collect it from.

        Nobody who owes for money that went back has an overdraft.
        """
        left, after = entry.uncollected_microcredits, entry.available_after_microcredits
        if self.seen[entry.hold].policy == "debt":
            yield "I9", f"leaves {left} uncollected, on terms that make it debt"
        elif after > (0 if account.clawback_debt_microcredits else _floor_of(account, version)):
            yield "I9", f"leaves {left} uncollected with {after} there"

    def _note(self, entry: Entry, hold: Seen) -> None:
        self.seen[entry.hold] = hold


def _used(entry: Entry) -> int:
    """What a settle took out of its hold, of grants or of debt."""
    released = int(entry.details.get("released_microcredits", "0"))
    return -entry.held_change_microcredits - released


def _sum(entry: Entry, what: str) -> int:
    return sum(draw.amount_microcredits for draw in getattr(entry, what))


def _floor_of(account: Account, version: str) -> int:
    """How far below nothing a charge may take the account. Units: micro-credits."""
    return 0 if account.parent else -terms_of(version, account.plan.id).overdraft
