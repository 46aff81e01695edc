"""Grants: buckets of credits, the order in which they are drawn, and how they get back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

MOST_GRANTS = 40
FAR = datetime(9999, 12, 31, tzinfo=UTC)


class GrantKind(StrEnum):
    """Where a grant's credits come from."""

    PLAN = "plan"
    PACK = "pack"
    PROMO = "promo"
    ADJUSTMENT = "adjustment"
    TRANSFER = "transfer"


PRIORITY = {
    GrantKind.PROMO: 10,
    GrantKind.PLAN: 20,
    GrantKind.ADJUSTMENT: 30,
    GrantKind.TRANSFER: 40,
    GrantKind.PACK: 50,
}


@dataclass(frozen=True, slots=True)
class Origin:
    """The grant of another account that a transferred grant's credits came from.

    `origin` is that grant's own, where it was transferred too: a budget may have budgets.
    """

    grant_id: str
    kind: GrantKind
    amount_microcredits: int
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """A bucket of credits. It counts from the moment it has started. Units: micro-credits.

    One that has ended is empty and stays only until the holds that drew from it are closed.
    """

    id: str
    kind: GrantKind
    priority: int
    amount_microcredits: int
    remaining_microcredits: int
    effective_at: datetime
    expires_at: datetime | None
    has_started: bool = True
    has_ended: bool = False
    origin: Origin | None = None

    def order(self) -> tuple[int, datetime, datetime, int, str]:
        """The place in the draw-down order; total, so two readers never disagree."""
        return (
            self.priority,
            self.expires_at or FAR,
            self.effective_at,
            len(self.id),
            self.id,
        )


@dataclass(frozen=True, slots=True)
class Draw:
    """How much a command took from one grant, with what it takes to put it back there."""

    grant: Grant
    amount_microcredits: int


Grants = tuple[Grant, ...]


def spendable_total(grants: Grants) -> int:
    """The sum of what started grants still hold."""
    return sum(g.remaining_microcredits for g in grants if g.has_started)


NO_IDS: frozenset[str] = frozenset()


def draw_down(
    grants: Grants, amount_microcredits: int, kept_ids: frozenset[str] = NO_IDS
) -> tuple[Grants, tuple[Draw, ...], int]:
    """Grants with the amount taken in order, the draws, and what could not be taken.

    Used-up grants leave the account; their draws say how to bring them back. Those of
    `kept_ids` stay, empty, because an open hold may give something back to them.
    """
    missing = amount_microcredits
    draws: list[Draw] = []
    kept: list[Grant] = []
    for grant in sorted(grants, key=Grant.order):
        taken = min(grant.remaining_microcredits, missing) if grant.has_started else 0
        missing -= taken
        if taken:
            draws.append(Draw(grant, taken))
        if grant.remaining_microcredits > taken or grant.id in kept_ids:
            kept.append(
                replace(grant, remaining_microcredits=grant.remaining_microcredits - taken)
                if taken
                else grant
            )
    return tuple(kept), tuple(draws), missing


@dataclass(frozen=True, slots=True)
class Stay:
    """Until when a used-up grant can come back: now, and the plan period that now is in."""

    now: datetime
    period_start_at: datetime
    period_end_at: datetime

    def home_of(self, drawn: Grant) -> Grant | None:
        """The used-up grant as it comes back, empty; None where its time is over.

        Why: a plan's grant ends with its period, which a change of plan ends early and a change
        of zone moves; what was written down when it was drawn knows of neither.
        """
        grant = replace(drawn, remaining_microcredits=0)
        if grant.kind is GrantKind.PLAN:
            if grant.effective_at < self.period_start_at:
                return None
            grant = replace(grant, expires_at=self.period_end_at)
        return grant if grant.expires_at is None or grant.expires_at > self.now else None


def put_back(
    grants: Grants, draws: tuple[Draw, ...], amount_microcredits: int, stay: Stay
) -> tuple[Grants, tuple[Draw, ...], int]:
    """Grants with the amount returned, last drawn first, the returns, and what has no home.

    A grant that was used up comes back; credits of one whose time is over have no home.
    """
    by_id = {g.id: g for g in grants}
    left = amount_microcredits
    returned: list[Draw] = []
    for draw in reversed(draws):
        share = min(left, draw.amount_microcredits)
        base = by_id.get(draw.grant.id) or stay.home_of(draw.grant)
        if share == 0 or base is None or base.has_ended:
            continue
        by_id[base.id] = replace(base, remaining_microcredits=base.remaining_microcredits + share)
        returned.append(Draw(draw.grant, share))
        left -= share
    return tuple(sorted(by_id.values(), key=Grant.order)), tuple(returned), left


def add_grant(grants: Grants, grant: Grant) -> tuple[Grants, Grant]:
    """Grants with this one added, and the grant that now holds the credits.

    At the bound a grant joins one of equal kind, priority and expiry, so that money that was
    paid is never refused for lack of room.
    """
    if len(grants) >= MOST_GRANTS:
        for other in grants:
            if _is_mergeable(other, grant):
                merged = replace(
                    other,
                    amount_microcredits=other.amount_microcredits + grant.amount_microcredits,
                    remaining_microcredits=other.remaining_microcredits
                    + grant.remaining_microcredits,
                )
                rest = tuple(g for g in grants if g.id != other.id)
                return tuple(sorted((*rest, merged), key=Grant.order)), merged
    return tuple(sorted((*grants, grant), key=Grant.order)), grant


def _is_mergeable(one: Grant, other: Grant) -> bool:
    return (
        one.kind == other.kind
        and not one.has_ended
        and one.origin == other.origin
        and one.priority == other.priority
        and one.expires_at == other.expires_at
        and one.has_started == other.has_started
        and (one.has_started or one.effective_at == other.effective_at)
    )
