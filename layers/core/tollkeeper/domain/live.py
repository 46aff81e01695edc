"""What a page hears at once: the last balance of an account, on a channel that only it knows.

An account's channel has another name every hour. Who was let in to one hears nothing behind its
hour, whatever became of the token since; who stays asks again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from tollkeeper.domain.entries import AccountId, Entry

NAMESPACE = "accounts"
SPAN_S = 3_600
OVERLAP_S = 120
"""How long the channel of the last hour is still told; who listens moves on before that."""
SPREAD_S = 100
"""Why: the listeners of all accounts move on within so many seconds, not at the same one."""

CHANNEL = re.compile(rf"/{NAMESPACE}/[0-9a-f]{{40}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class News:
    """What an account has after its entry `seq`."""

    account: AccountId
    available_microcredits: int
    seq: int
    kind: str


def latest_news(entries: Iterable[Entry]) -> list[News]:
    """The news of the last entry of each account, by seq and in whatever order they came."""
    last: dict[AccountId, Entry] = {}
    for entry in entries:
        known = last.get(entry.account)
        if known is None or entry.seq > known.seq:
            last[entry.account] = entry
    return [
        News(entry.account, entry.available_after_microcredits, entry.seq, entry.kind.value)
        for entry in last.values()
    ]


def channels_at(account: AccountId, now: datetime) -> tuple[str, ...]:
    """The account's channels that are told now: this hour's, and at its beginning the last one's.

    Shape: `/accounts/<40 hex digits>`: an id may hold what a channel's name may not, and a
    channel's name is seen in logs.
    """
    span, into_s = divmod(int(now.timestamp()), SPAN_S)
    spans = (span, span - 1) if into_s < OVERLAP_S else (span,)
    return tuple(_channel(account, each) for each in spans)


def moves_on_at(account: AccountId, now: datetime) -> datetime:
    """When who listens on this hour's channel has to be on the next one, which is told by then."""
    span = int(now.timestamp()) // SPAN_S
    late_s = int(_digest(account, 0)[:8], 16) % SPREAD_S
    return datetime.fromtimestamp((span + 1) * SPAN_S + 1 + late_s, UTC)


def _channel(account: AccountId, span: int) -> str:
    return f"/{NAMESPACE}/{_digest(account, span)[:40]}"


def _digest(account: AccountId, span: int) -> str:
    return hashlib.sha256(f"live {span} {account}".encode()).hexdigest()
