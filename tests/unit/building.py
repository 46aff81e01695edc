"""Accounts, grants and catalogs for unit tests, each said in one line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, settings

from tollkeeper.domain.account import Account
from tollkeeper.domain.catalog import (
    Catalog,
    Flat,
    Local,
    ModelPrice,
    Operation,
    Pack,
    Per1kTokens,
    PerUnit,
    PlanTerms,
    Rollover,
    Sizes,
)
from tollkeeper.domain.charges import Charge, decide_charge
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import AccountId, Entry, EntryKey, caller_key
from tollkeeper.domain.grants import PRIORITY, Grant, GrantKind
from tollkeeper.domain.operating import GiveGrant, decide_grant
from tollkeeper.domain.pricing import Consumption, Priced, price_run
from tollkeeper.domain.roll import begin
from tollkeeper.domain.usage import Usage
from tollkeeper.domain.usage.pools import TokenPools

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ONE = 1_000_000
ACCOUNT = AccountId("user_1")
STEADY = settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)

GPT_4 = ModelPrice("gpt-4", ("gpt-4", "gpt-4-*"), 60 * ONE, {"input": 30, "output": 60})
GPT_3 = ModelPrice("gpt-3.5", ("gpt-3.5", "gpt-3.5-*"), 2 * ONE)
CATALOG = Catalog(
    version="v1",
    plans={
        "free": PlanTerms("free", "Free", 10 * ONE, features={"call": 3}),
        "pro": PlanTerms("pro", "Pro", 50 * ONE),
        "month": PlanTerms("month", "Month", 20 * ONE, anchor="opening"),
        "deep": PlanTerms("deep", "Deep", 0, overdraft_microcredits=5 * ONE),
        "keep": PlanTerms("keep", "Keep", 10 * ONE, rollover=Rollover.ALL),
    },
    default_plan="free",
    operations={
        "call": Operation("call", "Call", Flat(ONE), "call", usd_pico_per_call=7),
        "video": Operation("video", "Video", Flat(7 * ONE), "video"),
        "minute": Operation(
            "minute",
            "Minute",
            PerUnit(333_333, "minute", fractional=True),
            "minute",
            sizes=Sizes(1 * ONE, 3 * ONE, 30 * ONE),
            usd_pico_per_call=5,
        ),
        "sms": Operation("sms", "SMS", PerUnit(ONE, "message"), "sms"),
        "chat": Operation(
            "chat", "Chat", Per1kTokens((GPT_4, GPT_3)), "chat", sizes=Sizes(100, 1000, 8000)
        ),
        "image": Operation("image", "Image", Flat(None, (GPT_4, GPT_3)), "image"),
        "own": Operation("own", "Own machine", Local(), "own"),
    },
    packs={
        "small": Pack("small", "Small", 100 * ONE, 1000, "usd"),
        "large": Pack("large", "Large", 500 * ONE, 4000, "usd"),
    },
    roles={"coach": "pro"},
)


def a_grant(
    number: int,
    remaining: int,
    kind: GrantKind = GrantKind.PROMO,
    *,
    priority: int | None = None,
    effective_at: datetime = NOON,
    expires_at: datetime | None = None,
    has_started: bool = True,
) -> Grant:
    """A grant of whole credits."""
    return Grant(
        id=f"g{number}",
        kind=kind,
        priority=PRIORITY[kind] if priority is None else priority,
        amount_microcredits=remaining * ONE,
        remaining_microcredits=remaining * ONE,
        effective_at=effective_at,
        expires_at=expires_at,
        has_started=has_started,
    )


def an_account(
    plan: str = "free", *, at: datetime = NOON, zone: str = "UTC", catalog: Catalog = CATALOG
) -> Account:
    """An account that was opened on the plan at that moment."""
    draft, _ = begin(None, ACCOUNT, now=at, catalog=catalog, plan_id=plan, zone=zone)
    return draft.decide(None).account


def draft_of(account: Account, at: datetime | None = None, catalog: Catalog = CATALOG) -> Draft:
    """A draft of the account, rolled to the moment."""
    now = account.rolled_to if at is None else at
    draft, is_rolled = begin(account, account.id, now=now, catalog=catalog)
    assert is_rolled, "a unit test's time fits one slice"
    return draft


def a_run(
    operation: str = "call", *, quantity: int | None = None, model: str = "", tokens: int = 0
) -> Priced:
    """A priced run. Units: `quantity` in millionths."""
    usage = Usage(TokenPools(input=tokens), None, None, ()) if tokens else None
    consumption = Consumption(operation, model or None, quantity_micro=quantity, usage=usage)
    return price_run(consumption, CATALOG)


def a_key(name: str = "k1") -> EntryKey:
    """A caller's key."""
    return caller_key(name)


def charged(
    account: Account, priced: Priced, *, key: str = "k1", at: datetime | None = None
) -> tuple[Account, Entry]:
    """The account after the charge, and the row."""
    draft = draft_of(account, at)
    return done(decide_charge(draft, Charge(a_key(key), "h", priced), CATALOG))


def granted(
    account: Account,
    credits: int,
    kind: GrantKind = GrantKind.PROMO,
    *,
    key: str = "g",
    at: datetime | None = None,
    starts_in: timedelta | None = None,
    lasts: timedelta | None = None,
) -> tuple[Account, Entry]:
    """The account after an operator's grant of whole credits, and the row."""
    draft = draft_of(account, at)
    starts_at = draft.at + (starts_in or timedelta(0))
    command = GiveGrant(
        a_key(key),
        "h",
        "test",
        amount_microcredits=credits * ONE,
        kind=kind,
        effective_at=starts_at,
        expires_at=None if lasts is None else starts_at + lasts,
    )
    return done(decide_grant(draft, command))


def done(decision: Decision) -> tuple[Account, Entry]:
    """What the decision leaves, and its answer."""
    assert decision.answer is not None
    return decision.account, decision.answer
