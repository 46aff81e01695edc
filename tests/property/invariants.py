"""The invariants of a ledger, each a checker on what is stored."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from tollkeeper.domain.account import Account
from tollkeeper.domain.draft import Draft
from tollkeeper.domain.entries import Entry, EntryKind
from tollkeeper.domain.roll import roll
from tollkeeper.domain.totals import NOTHING, Total, TotalKey, key_of, total_of_charge

from .world import Days, MemoryLedger


def moment_of(at: int) -> datetime:
    """The moment that the model counts as this number."""
    return datetime.fromisoformat("1970-01-01T00:00:00+00:00") + timedelta(milliseconds=at)


def look_now(ledger: MemoryLedger, now: datetime) -> tuple[Account, Days]:
    """The account and all days as a reader finds them now; nothing is written."""
    account = ledger.account
    assert account is not None
    draft = Draft(account, account, account.rolled_to, ledger.catalog)
    while not roll(draft, max(now, account.rolled_to), ledger.catalog):
        pass
    days = {**ledger.days}
    for day in draft.days:
        assert day.day not in days, "a day closes once"
        days[day.day] = dict(day.totals)
    assert draft.account.today not in days, "today is not closed"
    days[draft.account.today] = dict(draft.account.totals)
    return draft.account, days


def check_fold(ledger: MemoryLedger) -> None:
    """I1: available is the fold of the rows, and so is what every grant holds."""
    account = ledger.account
    assert account is not None
    total, debt, owed = 0, 0, 0
    grants: dict[str, int] = {}
    for entry in sorted(ledger.entries.values(), key=lambda e: e.seq):
        total += entry.delta_microcredits
        debt += entry.debt_change_microcredits
        assert entry.debt_after_microcredits == debt, "the debt is explained"
        owed += entry.clawback_debt_change_microcredits
        assert 0 <= owed <= debt, "what is owed for money that went back is part of it"
        _check_owed(entry)
        _fold_grants(grants, entry)
    assert total == account.available_microcredits
    assert debt == account.debt_microcredits
    assert owed == account.clawback_debt_microcredits
    started = {g.id: g.remaining_microcredits for g in account.grants if g.has_started}
    assert {name: held for name, held in grants.items() if held} == started


def _check_owed(entry: Entry) -> None:
    """A clawback alone makes somebody owe for money, and is all that makes its debt."""
    change, debt = entry.clawback_debt_change_microcredits, entry.debt_change_microcredits
    if entry.kind is EntryKind.CLAWBACK:
        assert change == debt >= 0
    else:
        assert change <= 0


def _fold_grants(grants: dict[str, int], entry: Entry) -> None:
    """What the row says of grants: what it drew, what it returned, what it brought or took."""
    into = {EntryKind.VOID: 1, EntryKind.REFUND: 1}.get(entry.kind, -1)
    moved = 0
    for draw in entry.draws:
        grants[draw.grant.id] = grants.get(draw.grant.id, 0) + into * draw.amount_microcredits
        assert grants[draw.grant.id] >= 0, "no grant gives more than it has"
        moved += into * draw.amount_microcredits
    if entry.grant is not None and entry.grant.has_started:
        rest = entry.delta_microcredits + entry.debt_change_microcredits - moved
        grants[entry.grant.id] = grants.get(entry.grant.id, 0) + rest
        assert grants[entry.grant.id] == entry.grant.remaining_microcredits


def check_sequence(ledger: MemoryLedger) -> None:
    """I2: rows are numbered 1 to n, and each says what was available after it."""
    rows = sorted(ledger.entries.values(), key=lambda e: e.seq)
    assert ledger.account is not None
    assert [e.seq for e in rows] == list(range(1, ledger.account.seq + 1))
    available = 0
    for entry in rows:
        available += entry.delta_microcredits
        assert entry.available_after_microcredits == available
    moments = [e.at for e in rows]
    assert moments == sorted(moments), "the ledger's time goes forward"


def check_expiries(ledger: MemoryLedger) -> None:
    """I10: a grant has at most one expire row, and nothing moves in it after."""
    gone: set[str] = set()
    for entry in sorted(ledger.entries.values(), key=lambda e: e.seq):
        touched = {d.grant.id for d in entry.draws}
        if entry.grant is not None:
            touched.add(entry.grant.id)
        assert not touched & gone, f"{touched & gone} expired before"
        if entry.kind is EntryKind.EXPIRE:
            assert entry.grant is not None and entry.key == f"t#expire:{entry.grant.id}"
            gone.add(entry.grant.id)


def check_resets(ledger: MemoryLedger, starts: list[int]) -> None:
    """I11: one reset row for each period that the model says there was, in order."""
    resets = [e for e in ledger.entries.values() if e.kind is EntryKind.RESET]
    resets.sort(key=lambda e: e.seq)
    found = [datetime.fromisoformat(e.key.split(":", 2)[2]) for e in resets]
    assert found == [moment_of(at) for at in starts]
    assert len(set(found)) == len(found), "no period begins twice"


def fold_runs(ledger: MemoryLedger) -> dict[tuple[date, TotalKey], Total]:
    """What the rows say of runs, by day."""
    sums: dict[tuple[date, TotalKey], Total] = {}
    for entry in ledger.entries.values():
        if entry.run is None or entry.day is None:
            continue
        moved = entry.moved_microcredits
        total = {
            EntryKind.CHARGE: total_of_charge(entry.run, moved),
            EntryKind.VOID: total_of_charge(entry.run, moved).minus(),
            EntryKind.REFUND: Total(credits_microcredits=-moved, refunded_microcredits=moved),
            EntryKind.RUN_FAILED: Total(failed=1),
        }[entry.kind]
        place = (entry.day, key_of(entry.run))
        sums[place] = sums.get(place, NOTHING).plus(total)
    return {place: total for place, total in sums.items() if total != NOTHING}
