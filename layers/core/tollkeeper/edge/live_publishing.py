"""The table's stream, told to sockets: the last balance of each account, at best effort.

Why no queue and few retries: news is old after seconds, and a page asks for itself now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tollkeeper.domain.entries import Entry
from tollkeeper.domain.live import News, channels_at, latest_news
from tollkeeper.edge.event_api import AT_ONCE
from tollkeeper.edge.observability import log_alarm, log_fact, log_failure
from tollkeeper.edge.stream import new_rows, read_entry, sequence_of
from tollkeeper.edge.wire import Amount, write_json
from tollkeeper.service.ports import Clock

BATCH_S = 5.0
"""After so long a batch begins no request any more."""
LAST_MOMENTS_S = 3.0
"""Nor when the function has no more time than that."""

Record = Mapping[str, Any]
Publish = Callable[[str, str], bool]
"""A channel and a text; whether it was taken."""


def tell_live(
    publish: Publish, records: Sequence[Record], clock: Clock, *, left_ms: int
) -> dict[str, Any]:
    """What became of each account is told, but for the rows that the answer names.

    Shape: {"batchItemFailures": [{"itemIdentifier": <sequence number>}]}. A row that cannot be
    read is left out with an error line: notify keeps it, and a page does not need it.
    """
    rows = _read_rows(records)
    news = latest_news(rows.values())
    ends_at = clock.monotonic_s() + min(BATCH_S, left_ms / 1000 - LAST_MOMENTS_S)
    unsent = {(each.account, each.seq) for each in _tell(publish, news, clock, ends_at)}
    failed = [at for at, row in rows.items() if (row.account, row.seq) in unsent]
    facts = {"rows": len(rows), "accounts": len(news), "failed": len(failed)}
    if failed:
        log_alarm("live updates not told", **facts)
    else:
        log_fact("live updates told", **facts)
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}


def _tell(publish: Publish, news: Sequence[News], clock: Clock, ends_at_s: float) -> list[News]:
    """The news that was not taken, or for which there was no time."""
    now = clock.now()

    def tell(each: News) -> bool:
        if clock.monotonic_s() >= ends_at_s:
            return False
        text = _text_of(each)
        return all([publish(channel, text) for channel in channels_at(each.account, now)])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        taken = list(pool.map(tell, news))
    return [each for each, is_taken in zip(news, taken, strict=True) if not is_taken]


def _text_of(news: News) -> str:
    available = Amount(news.available_microcredits)
    return write_json({"available": available, "seq": news.seq, "kind": news.kind})


def _read_rows(records: Sequence[Record]) -> dict[str, Entry]:
    """The new ledger rows by their sequence numbers."""
    rows: dict[str, Entry] = {}
    for record in new_rows(records):
        try:
            rows[sequence_of(record)] = read_entry(record)
        except Exception:  # noqa: BLE001 - one broken record must not stop the others
            log_failure("record cannot be read", sequence=sequence_of(record))
    return rows
