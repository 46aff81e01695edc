"""What must hold in the table once everything is quiet, and what its readers then see."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from simulation.asking import Asked, Clients
from simulation.deployment import Invocation
from simulation.money import shown
from simulation.store import SimStore
from simulation.watch import Violation, Watch
from tollkeeper.domain.entries import AccountId, Entry, EntryKey, EntryKind, show_key
from tollkeeper.store.audit import audit_items
from tollkeeper.store.keys import purchase_key

MOST_PAGES = 20
MOST_PRICES = 3
PRICED = frozenset({EntryKind.CHARGE, EntryKind.HOLD, EntryKind.SETTLE, EntryKind.RERATE})
SPENT = {
    EntryKind.CHARGE: 1,
    EntryKind.SETTLE: 1,
    EntryKind.VOID: -1,
    EntryKind.REFUND: -1,
}


def key_of_purchase(account: str, purchase: str) -> dict[str, Any]:
    """The key of the purchase's item."""
    return purchase_key(AccountId(account), purchase)


def judge_rest(store: SimStore, invocations: list[Invocation]) -> Iterator[Violation]:
    """The items as they lie there, and that nobody is still at work."""
    for invocation in invocations:
        if invocation.answer is None and not invocation.death:
            yield Violation("I22", f"#{invocation.number} {invocation.function}", "never ended")
    partitions: dict[str, list[Any]] = {}
    for item in store.items():
        pk = item["pk"]["S"]
        if pk.startswith("A#"):
            partitions.setdefault(pk, []).append(item)
    for pk, items in partitions.items():
        if all(item["sk"]["S"].startswith(("P#", "M")) for item in items):
            continue
        findings = audit_items(sorted(items, key=lambda item: item["sk"]["S"]))
        for found in findings.found:
            yield Violation(found.invariant, f"{pk} {found.where}", found.what)
        if findings.unexplained_microcredits:
            yield Violation("I1", pk, f"{findings.unexplained_microcredits} unexplained")


def _spent(entry: Entry) -> int:
    """What the row adds to what was spent. Units: micro-credits."""
    if entry.kind is EntryKind.RERATE:
        return -entry.delta_microcredits
    return SPENT.get(entry.kind, 0) * entry.moved_microcredits


class Readers:
    """Those who look at every account in the calm, through the API."""

    def __init__(self, clients: Clients, watch: Watch) -> None:
        self._clients = clients
        self._watch = watch

    def read_all(self) -> None:
        """Balance, history and stats of every account say what its rows say."""
        for account, rows in self._watch.rows.items():
            entries = sorted((w.entry for w in rows.values()), key=lambda entry: entry.seq)
            self._read_balance(account, entries)
            self._read_history(account, entries)
            self._read_stats(account, entries)
            self._read_prices(account, entries)
        self._read_waiting()

    def _read_prices(self, account: str, entries: list[Entry]) -> None:
        """The last few prices come to the same again, from their rows alone."""
        priced = [each for each in entries if each.run is not None and each.kind in PRICED]
        for entry in priced[-MOST_PRICES:]:
            body = self._get(account, "/entries/{key}", key=show_key(entry.key))
            computed: dict[str, Any] = body.get("computation") or {}
            if body and computed.get("agrees") is not True:
                self._watch.blame("I18", f"{account} {entry.key}", f"is not so again: {computed}")

    def _read_waiting(self) -> None:
        """The list of what waits for a price is what the rows say."""
        asked = Asked("reader", "GET /v1/quarantine", "", None, query={"limit": "200"})
        asked.expects = (200,)
        attempt = self._clients.try_once(self._clients.note(asked))
        if attempt.status != 200:
            return
        found = sorted((each["account"], each["key"]) for each in attempt.body["charges"])
        told = sorted(
            (name, show_key(EntryKey(key)))
            for name, book in self._watch.prices.items()
            for key in book.waiting
        )
        if found != told:
            self._watch.blame("I18", "quarantine", f"shows {found}, rows say {told}")

    def _get(self, account: str, what: str, *, key: str = "", **query: str) -> dict[str, Any]:
        asked = Asked("reader", f"GET /v1/accounts/{{id}}{what}", account, None, query=query)
        asked.path, asked.expects = {"id": account}, (200,)
        asked.path |= {"key": key} if key else {}
        attempt = self._clients.try_once(self._clients.note(asked))
        return attempt.body if attempt.status == 200 else {}

    def _read_balance(self, account: str, entries: list[Entry]) -> None:
        body = self._get(account, "")
        after = shown(entries[-1].available_after_microcredits)
        if body and (str(body["available"]), body["seq"]) != (after, entries[-1].seq):
            seen = f"{body['available']} at {body['seq']}"
            self._watch.blame("I1", account, f"shows {seen}, rows say {after}")

    def _read_history(self, account: str, entries: list[Entry]) -> None:
        found: list[tuple[int, str]] = []
        query = {"limit": "7"}
        for _ in range(MOST_PAGES):
            page = self._get(account, "/entries", **query)
            found += [(each["seq"], str(each["delta"])) for each in page.get("entries", [])]
            if not page.get("next_cursor"):
                break
            query["cursor"] = str(page["next_cursor"])
        told = [(entry.seq, shown(entry.delta_microcredits)) for entry in reversed(entries)]
        if found != told[: len(found)] or len(found) < min(len(told), MOST_PAGES * 7):
            self._watch.blame("I2", account, f"history shows {found}, rows are {told}")

    def _read_stats(self, account: str, entries: list[Entry]) -> None:
        last = max(entries[-1].at, self._clients.loop.now()).date() + timedelta(days=2)
        first = last - timedelta(days=399)
        body = self._get(account, "/stats", **{"from": first.isoformat(), "to": last.isoformat()})
        spent = sum(
            _spent(entry) for entry in entries if entry.day is not None and entry.day >= first
        )
        if body and str(body["totals"]["credits"]) != shown(spent):
            seen = body["totals"]["credits"]
            self._watch.blame("I15", account, f"stats show {seen}, rows say {shown(spent)}")
