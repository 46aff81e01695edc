"""Ledger rows that tell of something, each said in one line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tollkeeper.domain.entries import AccountId, Entry, EntryKey, EntryKind, Run
from tollkeeper.domain.grants import Grant, GrantKind
from tollkeeper.domain.usage.pools import TokenPools

NOW = datetime(2026, 11, 20, 12, 0, 0, 812_000, tzinfo=UTC)
ACCOUNT = AccountId("user_1")
CREDIT = 1_000_000
SECRET = "what the caller added"

RUN = Run(
    operation="ai_tokens",
    model="gpt-4",
    label="chat",
    feature="messages",
    feature_count=1,
    service="openai",
    subtype="pdf",
    quantity_micro=2_500_000,
    pools=TokenPools(
        input=20,
        cached_input=1,
        cache_write_5m=2,
        cache_write_1h=3,
        output=5,
        reasoning=6,
        audio_input=7,
        audio_output=8,
    ),
    cost_picousd=1_230_000_000,
    price_version="9bf358f6176cd8ca",
)
GRANT = Grant(
    id="g2",
    kind=GrantKind.PROMO,
    priority=10,
    amount_microcredits=100 * CREDIT,
    remaining_microcredits=100 * CREDIT,
    effective_at=NOW,
    expires_at=NOW + timedelta(days=30),
)
LATER = replace(GRANT, effective_at=NOW + timedelta(days=1), has_started=False)
PACK = replace(GRANT, kind=GrantKind.PACK, expires_at=None)


def row(kind: EntryKind, **facts: object) -> Entry:
    """A row of that kind, the seventh of the account."""
    given: dict[str, object] = {
        "key": EntryKey("c#msg_812"),
        "delta_microcredits": 0,
        "available_after_microcredits": 97_500_000,
        "held_after_microcredits": 5 * CREDIT,
        "metadata": f'{{"note":"{SECRET}"}}',
        "actor": "service:0123456789ab",
        "request_hash": "hash",
    }
    return Entry(account=ACCOUNT, seq=7, kind=kind, at=NOW, **(given | facts))  # type: ignore[arg-type]


def moved(kind: EntryKind, credits: float, **facts: object) -> Entry:
    """A row about so many credits."""
    return row(kind, moved_microcredits=int(credits * CREDIT), **facts)
