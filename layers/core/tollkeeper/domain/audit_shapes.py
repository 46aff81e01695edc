"""What a row of each kind looks like, whoever wrote it: judged from the row alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tollkeeper.domain.entries import Entry, EntryKind
from tollkeeper.domain.grants import Draw, Grant
from tollkeeper.domain.money import LARGEST_MICROCREDITS, show_micro

GIVE_BACKS = frozenset({EntryKind.VOID, EntryKind.REFUND})
REFERRING = GIVE_BACKS | {EntryKind.RERATE}


@dataclass(frozen=True, slots=True)
class Shape:
    """What is allowed of a kind of row.

    `signs` are what delta may be in terms of what was moved, where nothing else explains it;
    `debt` the sign that a change of debt may have, 2 for any; `grant` says whether the row may or
    must name one. A run has a day, where `has_day` does not say otherwise.
    """

    keys: tuple[str, ...] = ("c#",)
    signs: tuple[int, ...] = (0,)
    has_run: bool = False
    may_draw: bool = False
    may_grant: bool = False
    must_grant: bool = False
    debt: int = 0
    has_day: bool | None = None
    may_return: bool = False


ANY = 2
CALLERS_ROW = Shape()
MONEY_BACK_KEYS = ("s#refund:", "s#dispute:", "s#dispute_won:", "s#early:")
SHAPES = {
    EntryKind.CHARGE: Shape(signs=(-1,), has_run=True, may_draw=True, debt=1),
    EntryKind.RUN_FAILED: Shape(has_run=True),
    EntryKind.VOID: Shape(signs=(1,), has_run=True, may_draw=True, may_grant=True, debt=-1),
    EntryKind.REFUND: Shape(signs=(1,), has_run=True, may_draw=True, may_grant=True, debt=-1),
    EntryKind.RERATE: Shape(signs=(1, -1), has_run=True, may_draw=True, may_grant=True, debt=ANY),
    EntryKind.GRANT: Shape(
        keys=("c#", "s#purchase:", "s#line:", "t#start:"),
        signs=(1, 0),
        may_grant=True,
        must_grant=True,
        debt=-1,
    ),
    EntryKind.EXPIRE: Shape(keys=("t#expire:",), signs=(-1,), may_grant=True, must_grant=True),
    EntryKind.RESET: Shape(keys=("t#reset:",), signs=(1,), may_draw=True, may_grant=True, debt=-1),
    EntryKind.ADJUSTMENT: Shape(signs=(1, -1), may_draw=True, may_grant=True, debt=-1),
    EntryKind.CLAWBACK: Shape(keys=MONEY_BACK_KEYS, signs=(-1,), may_draw=True, debt=1),
    EntryKind.REINSTATE: Shape(
        keys=MONEY_BACK_KEYS, signs=(1,), may_grant=True, must_grant=True, debt=-1
    ),
    EntryKind.PLAN_CHANGE: Shape(keys=("c#", "s#line:", "s#subscription_end:")),
    EntryKind.PROFILE: CALLERS_ROW,
    EntryKind.FREEZE: CALLERS_ROW,
    EntryKind.UNFREEZE: CALLERS_ROW,
    EntryKind.CLOSE: CALLERS_ROW,
    EntryKind.LIMITS: CALLERS_ROW,
    EntryKind.TOP_UP: Shape(keys=("c#", "s#top_up_off:", "s#top_up_action:")),
    EntryKind.HOLD: Shape(
        keys=("h#",), signs=(-1,), has_run=True, has_day=False, may_draw=True, debt=1
    ),
    EntryKind.SETTLE: Shape(
        keys=("h#", "c#"),
        has_run=True,
        may_draw=True,
        may_grant=True,
        may_return=True,
        debt=2,
    ),
    EntryKind.RELEASE: Shape(keys=("h#",), signs=(1,), may_grant=True, may_return=True, debt=-1),
    EntryKind.HOLD_EXPIRED: Shape(
        keys=("h#",), signs=(1,), may_grant=True, may_return=True, debt=-1
    ),
    EntryKind.HOLD_EXTENDED: CALLERS_ROW,
    EntryKind.TRANSFER_OUT: Shape(keys=("c#", "s#closed:"), signs=(-1,), may_draw=True),
    EntryKind.TRANSFER_IN: Shape(
        keys=("c#", "s#transfer:"), signs=(1,), may_grant=True, may_return=True, debt=-1
    ),
}
STEPS = frozenset(
    {
        EntryKind.HOLD,
        EntryKind.SETTLE,
        EntryKind.RELEASE,
        EntryKind.HOLD_EXPIRED,
        EntryKind.HOLD_EXTENDED,
    }
)
DRAWING = frozenset({EntryKind.CHARGE, EntryKind.HOLD, EntryKind.SETTLE, EntryKind.CLAWBACK})
OF_PURCHASES = frozenset({EntryKind.CLAWBACK, EntryKind.REINSTATE})
DRAWING_DOWN = frozenset({EntryKind.ADJUSTMENT, EntryKind.RERATE})


def returns_draws(entry: Entry) -> bool:
    """The row's draws went back into their grants, and were not taken from them."""
    is_cheaper = entry.kind is EntryKind.RERATE and entry.delta_microcredits > 0
    return is_cheaper or entry.kind in GIVE_BACKS


def find_bad_number(entry: Entry) -> str:
    """The first amount of the row that is no integer in range, or nothing (I19)."""
    for value in (
        entry.seq,
        entry.delta_microcredits,
        entry.available_after_microcredits,
        entry.moved_microcredits,
        entry.debt_after_microcredits,
        entry.debt_change_microcredits,
        entry.held_after_microcredits,
        entry.held_change_microcredits,
        entry.expired_microcredits,
        entry.uncollected_microcredits,
        entry.clawback_debt_change_microcredits,
    ):
        if type(value) is not int or not -LARGEST_MICROCREDITS <= value <= LARGEST_MICROCREDITS:
            return f"{value!r} is no amount"
    for draw in (*entry.draws, *entry.settled, *entry.returned):
        fault = _bad_amount(draw.amount_microcredits) or find_bad_grant(draw.grant)
        if fault:
            return fault
    return find_bad_grant(entry.grant) if entry.grant is not None else ""


def find_bad_grant(grant: Grant) -> str:
    """The first amount of the grant that is no integer in range, or nothing (I19)."""
    return (
        _bad_amount(grant.remaining_microcredits)
        or _bad_amount(grant.amount_microcredits)
        or _bad_amount(grant.priority)
    )


def _bad_amount(value: object) -> str:
    if type(value) is int and 0 <= value <= LARGEST_MICROCREDITS:
        return ""
    return f"{value!r} is no amount"


def judge_row(entry: Entry) -> Iterator[tuple[str, str]]:
    """What is wrong with the row by itself: pairs of an invariant and a sentence."""
    shape = SHAPES[entry.kind]
    delta, moved = entry.delta_microcredits, entry.moved_microcredits
    if not entry.key.startswith(shape.keys):
        yield "I17", f"a {entry.kind} has the key {entry.key}"
    if moved < 0 or not _is_explained(entry, shape):
        yield "I1", f"a {entry.kind} of {show_micro(moved)} changed {show_micro(delta)}"
    has_day = shape.has_run if shape.has_day is None else shape.has_day
    if shape.has_run != (entry.run is not None) or has_day != (entry.day is not None):
        yield "I15", f"a {entry.kind} {'lacks' if shape.has_run else 'has'} a run or its day"
    yield from _judge_names(entry)
    if entry.draws and not shape.may_draw:
        yield "I1", f"a {entry.kind} draws from grants"
    if shape.debt != ANY and (
        entry.debt_change_microcredits * shape.debt < 0
        or (entry.debt_change_microcredits and not shape.debt)
    ):
        yield "I3", f"a {entry.kind} changes the debt by {entry.debt_change_microcredits}"
    yield from _judge_grant(entry, shape)
    yield from _judge_hold(entry, shape)
    if entry.kind in DRAWING or (entry.kind in DRAWING_DOWN and delta < 0):
        for draw in entry.draws:
            if not _is_drawable(draw, entry):
                yield "I10", f"it draws from {draw.grant.id}, which is not effective then"


def _judge_names(entry: Entry) -> Iterator[tuple[str, str]]:
    """What a row is about is named: the charge that it corrects, the purchase that it undoes."""
    if (entry.kind in REFERRING) != (entry.refers_to is not None):
        yield "I14", f"a {entry.kind} names {entry.refers_to or 'no charge'}"
    if entry.kind in OF_PURCHASES and not entry.details.get("purchase"):
        yield "I12", f"a {entry.kind} names no purchase"


def _is_explained(entry: Entry, shape: Shape) -> bool:
    """What available changed by follows from what was moved, and from what expired in the row.

    A settle takes from the hold first: what the hold gave up and the charge did not use is back.
    """
    delta, moved = entry.delta_microcredits, entry.moved_microcredits
    expired = entry.expired_microcredits
    if entry.kind is EntryKind.SETTLE:
        return delta == -entry.held_change_microcredits - moved - expired
    return any(delta + expired == sign * moved for sign in shape.signs)


def _judge_hold(entry: Entry, shape: Shape) -> Iterator[tuple[str, str]]:
    """A row of a hold names it, and no other row does."""
    if (entry.kind in STEPS) != bool(entry.hold):
        yield "I9", f"a {entry.kind} names {entry.hold or 'no hold'}"
    elif entry.key.startswith("h#") and entry.key.split("#")[1] != entry.hold:
        yield "I9", f"{entry.key} is of the hold {entry.hold}"
    if (entry.returned or entry.expired_microcredits) and not shape.may_return:
        yield "I1", f"a {entry.kind} returns credits to grants"
    used = sum(draw.amount_microcredits for draw in entry.settled)
    if used and (entry.kind is not EntryKind.SETTLE or used > entry.moved_microcredits):
        yield "I9", f"a {entry.kind} of {show_micro(entry.moved_microcredits)} used more of it"


def _judge_rest(entry: Entry) -> Iterator[tuple[str, str]]:
    """What draws and debt do not explain is what its grant was given, or lost."""
    grant, rest = entry.grant, rest_of(entry)
    if grant is None or not grant.has_started:
        if rest:
            yield "I1", f"its draws and the debt leave {show_micro(rest)} unexplained"
    elif (rest > 0) if entry.kind is EntryKind.EXPIRE else (rest < 0):
        yield "I1", f"it moves {show_micro(rest)} in {grant.id}"


def _judge_grant(entry: Entry, shape: Shape) -> Iterator[tuple[str, str]]:
    grant = entry.grant
    yield from _judge_rest(entry)
    if grant is None:
        if shape.must_grant:
            yield "I1", f"a {entry.kind} names no grant"
        return
    if not shape.may_grant:
        yield "I1", f"a {entry.kind} names the grant {grant.id}"
    if entry.kind is EntryKind.EXPIRE and entry.key != f"t#expire:{grant.id}":
        yield "I10", f"{entry.key} expires {grant.id}"
    if entry.kind is EntryKind.GRANT:
        if entry.delta_microcredits != (entry.moved_microcredits if grant.has_started else 0):
            yield "I1", f"{grant.id} has {'' if grant.has_started else 'not '}started"
    elif not grant.has_started:
        yield "I1", f"a {entry.kind} names {grant.id}, which has not started"


def _is_drawable(draw: Draw, entry: Entry) -> bool:
    grant = draw.grant
    has_ended = grant.expires_at is not None and grant.expires_at <= entry.at
    return grant.effective_at <= entry.at and not has_ended


def rest_of(entry: Entry) -> int:
    """What the row's change leaves for its grant, after its draws and the debt.

    Units: micro-credits; 0 where draws and debt explain the whole change.
    """
    drawn = sum([draw.amount_microcredits for draw in entry.draws])
    into = drawn if returns_draws(entry) else -drawn
    into += sum([draw.amount_microcredits for draw in entry.returned])
    return entry.delta_microcredits - into + entry.debt_change_microcredits
