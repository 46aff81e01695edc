"""Budgets: credits that move between two of the model's accounts, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .model_credits import bring_in, draw
from .model_state import State


@dataclass(frozen=True)
class Part:
    """Credits on their way. `source` is the number of the grant that they came from."""

    amount: int
    source: int
    priority: int
    effective: int
    expires: int | None


def plan_transfer(state: State, amount: int) -> list[Part]:
    """Which credits would go: those that would be drawn first. The state given is used up."""
    draws, missing = draw(state, amount)
    assert not missing, "only what is there can move"
    return [_part(state, number, amount) for number, amount in draws]


def _part(state: State, number: int, amount: int) -> Part:
    bucket = state.buckets[number]
    return Part(amount, number, bucket.priority, bucket.effective, bucket.expires)


def plan_return(state: State) -> list[Part]:
    """Which credits would come back: all that came and are left."""
    left = [b for b in state.open_buckets() if b.started and b.source is not None]
    return [_back(b.remaining, b.source or 0) for b in sorted(left, key=lambda b: b.order())]


def _back(amount: int, source: int) -> Part:
    return Part(amount, source, 0, 0, None)


def _transfer_out(state: State, amount: int) -> None:
    draws, missing = draw(state, amount)
    assert not missing, "only what is there can move"
    state.sent += amount
    state.post("transfer_out", -amount, draws=draws)


def _transfer_in(state: State, parts: list[Part], caps: dict[str, int | None], number: int) -> None:
    """Each part is a grant with the order and expiry of the one that it came from.

    `number` is that of the parent's row.
    """
    mine = state.caps.setdefault("operator", {})
    for name, most in caps.items():
        mine.pop(name, None)
        mine.update({} if most is None else {name: most})
    for index, part in enumerate(parts):
        debt = state.debt
        bucket = bring_in(
            state,
            "transfer",
            part.amount,
            priority=part.priority,
            effective=part.effective,
            expires=part.expires,
        )
        bucket.effective, bucket.source = part.effective, part.source
        key = f"s~transfer:{number}:{index}"
        state.post("transfer_in", part.amount, key=key, debt=debt, grant=bucket)


def _send_back(state: State, number: int) -> None:
    """All that came and is left has gone back; `number` is that of the parent's row."""
    draws: list[tuple[int, int]] = []
    for which, bucket in enumerate(state.buckets):
        if bucket in state.open_buckets() and bucket.source is not None:
            draws.append((which, bucket.remaining))
            bucket.remaining = 0
    amount = sum(each for _, each in draws)
    state.sent += amount
    state.status = "closed"
    state.post("transfer_out", -amount, key=f"s~closed:{number}", draws=draws)


def _take_back(state: State, parts: list[Part]) -> None:
    """What comes back pays what is owed, then is where it was; with an ended grant it is lost."""
    debt, available, gone = state.debt, state.available(), 0
    amount = sum(part.amount for part in parts)
    owed = state.pay(amount)
    returned: list[tuple[int, int]] = []
    for part in reversed(parts):
        kept = part.amount - min(owed, part.amount)
        owed -= part.amount - kept
        bucket = state.buckets[part.source]
        gone += kept if bucket.ended else 0
        bucket.remaining += 0 if bucket.ended else kept
        returned += [(part.source, kept)] if kept and not bucket.ended else []
    state.expired += gone
    state.received += amount
    delta = state.available() - available
    state.post("transfer_in", delta, debt=debt, moved=amount, expired=gone, returned=returned)


BUDGETS: dict[str, Any] = {
    "transfer_out": _transfer_out,
    "transfer_in": _transfer_in,
    "send_back": _send_back,
    "take_back": _take_back,
}
