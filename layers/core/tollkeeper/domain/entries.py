"""Ledger rows: one for every change of credits, and what each one explains."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Literal, NewType

from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.grants import Draw, Grant
from tollkeeper.domain.usage import TokenPools, UsagePart

AccountId = NewType("AccountId", str)
EntryKey = NewType("EntryKey", str)
"""A typed key: `c#<caller's>`, `h#<hold>#<step>`, `s#<kind>:<object>` or `t#<time key>`."""

COUNTED_BEFORE = "counted_before"
"""A settle's detail: the plan's counter has counted its run in an earlier period."""

BY_INVOICE, BY_PRORATION, BY_END = "invoice", "proration", "subscription_end"
BY_STRIPE = frozenset({BY_INVOICE, BY_PRORATION, BY_END})
"""What a change of plan says in its detail `at` where Stripe began it: with a new period by a paid
invoice, within the period by one, or by the end of the subscription."""

BY_LATE, BY_OTHER_END = "late", "other_subscription_end"
"""What it says where the plan stays as it is: a line was told too late to bring something, and a
subscription ended that did not drive the plan."""

ID_PATTERN = re.compile(r"[A-Za-z0-9_.:@|-]{1,128}", re.ASCII)


class EntryKind(StrEnum):
    """What happened."""

    GRANT = "grant"
    CHARGE = "charge"
    VOID = "void"
    REFUND = "refund"
    EXPIRE = "expire"
    RESET = "reset"
    PLAN_CHANGE = "plan_change"
    ADJUSTMENT = "adjustment"
    RUN_FAILED = "run_failed"
    PROFILE = "profile"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    CLOSE = "close"
    HOLD = "hold"
    SETTLE = "settle"
    RELEASE = "release"
    HOLD_EXPIRED = "hold_expired"
    HOLD_EXTENDED = "hold_extended"
    LIMITS = "limits"
    TOP_UP = "top_up"
    TRANSFER_OUT = "transfer_out"
    TRANSFER_IN = "transfer_in"
    RERATE = "rerate"
    CLAWBACK = "clawback"
    REINSTATE = "reinstate"


def parse_id(text: object, member: str) -> str:
    """An account id or caller's key as it may be stored. Raises: InvalidError."""
    if not isinstance(text, str) or ID_PATTERN.fullmatch(text) is None:
        raise InvalidError(member, "must be 1 to 128 of A-Z a-z 0-9 _ . : @ | -")
    return text


def caller_key(text: str) -> EntryKey:
    """The typed key of a caller's idempotency key."""
    return EntryKey("c#" + parse_id(text, "Idempotency-Key"))


def hold_key(hold_id: str, step: Literal["open", "settle", "release", "expire"]) -> EntryKey:
    """The typed key of one step of a hold's life: each happens at most once."""
    return EntryKey(f"h#{hold_id}#{step}")


def show_key(key: EntryKey) -> str:
    """The key as the API shows it: a caller's own bare, the system's with `~` for `#`."""
    return key.removeprefix("c#").replace("#", "~")


def read_key(text: str) -> EntryKey:
    """The typed key that the API showed. Raises: InvalidError."""
    kind, tilde, rest = text.partition("~")
    if not tilde:
        return caller_key(text)
    if kind == "c":
        return caller_key(rest)
    if kind not in ("s", "t", "h") or not re.fullmatch(r"[A-Za-z0-9_.:@|+~-]{1,200}", rest):
        raise InvalidError("key", "is not the key of an entry")
    return EntryKey(text.replace("~", "#"))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a charge's breakdown. `quantity` and `rate` are exact decimal texts."""

    item: str
    quantity: str
    rate: str
    credits_microcredits: int


@dataclass(frozen=True, slots=True)
class Resource:
    """What a run took of a machine; None was not measured.

    Units: milliseconds, and megabytes of 10^6 bytes.
    """

    cpu_ms: int | None = None
    mem_mb: int | None = None
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """What ran: the facts a charge, its void and a failed run share.

    `label` is the caller's feature or subtype for stats; `feature` the plan's counter.
    `reported_picousd` is the cost that the provider stated and `named_microcredits` the price
    that the caller named. `provider_said`: the request named the provider; else its usage or the
    model's name told it. `priced_at` is the moment whose dated rates applied, and `plan` the
    plan whose prices did, each only where it matters; `volume_micro` is what the run counts in
    the period, after `volume_before_micro`. `stands_for` is the model at whose rates an unknown
    one was charged, and `pending` says why the price is not final.
    Units: `..._picousd` in 10^-12 USD; `..._micro` in millionths of the rule's unit.
    """

    operation: str
    model: str = ""
    label: str = ""
    feature: str = ""
    feature_count: int = 0
    service: str = ""
    subtype: str = ""
    quantity_micro: int | None = None
    pools: TokenPools | None = None
    cost_picousd: int | None = None
    lines: tuple[Line, ...] = ()
    price_version: str = ""
    response_time_ms: int | None = None
    occurred_at: datetime | None = None
    warnings: tuple[str, ...] = ()
    provider: str = ""
    provider_said: bool = False
    service_tier: str = ""
    seconds_micro: int | None = None
    web_searches: int = 0
    requests: int = 1
    parts: tuple[UsagePart, ...] = ()
    resource: Resource | None = None
    reported_picousd: int | None = None
    named_microcredits: int | None = None
    priced_at: datetime | None = None
    plan: str = ""
    volume_micro: int = 0
    volume_before_micro: int = 0
    stands_for: str = ""
    pending: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One immutable ledger row.

    `delta_microcredits` is what available changed by and `available_after_microcredits` what it
    then was, so a linear replay proves the ledger. `moved_microcredits` is the amount that the
    command was about (charged, refunded, granted, expired), which a delta of 0 can hide.
    `day` is the local day that a run counts on. `held_change_microcredits` is what open holds
    changed by. Of a hold that is closed, `settled` says from which of its grants the charge came
    and `returned` what each grant got back; what had no grant left to return to expired inside
    this row. `alerts` are the thresholds that the row crossed. `clawback_debt_change_microcredits`
    is what the part of the debt that is owed for money that went back changed by; the debt's own
    change has it in it.
    """

    account: AccountId
    key: EntryKey
    seq: int
    kind: EntryKind
    at: datetime
    delta_microcredits: int
    available_after_microcredits: int
    debt_after_microcredits: int = 0
    moved_microcredits: int = 0
    request_hash: str = ""
    run: Run | None = None
    day: date | None = None
    draws: tuple[Draw, ...] = ()
    debt_change_microcredits: int = 0
    grant: Grant | None = None
    refers_to: EntryKey | None = None
    reason: str = ""
    actor: str = ""
    details: Mapping[str, str] = field(default_factory=dict[str, str])
    metadata: str = ""
    warnings: tuple[str, ...] = ()
    hold: str = ""
    held_after_microcredits: int = 0
    held_change_microcredits: int = 0
    settled: tuple[Draw, ...] = ()
    returned: tuple[Draw, ...] = ()
    expired_microcredits: int = 0
    uncollected_microcredits: int = 0
    alerts: tuple[str, ...] = ()
    clawback_debt_change_microcredits: int = 0
