"""What stands beside the rows: marks of what was given back, and purchases."""

from __future__ import annotations

from tollkeeper.domain.account import Account
from tollkeeper.domain.audit_findings import Notes
from tollkeeper.domain.audit_shapes import OF_PURCHASES
from tollkeeper.domain.draft import ChargeReturned
from tollkeeper.domain.entries import Entry, EntryKey, EntryKind
from tollkeeper.domain.money import show_micro
from tollkeeper.domain.purchases import (
    Purchase,
    PurchaseKind,
    PurchaseStatus,
    purchase_entry_key,
)

PURCHASE = "s#purchase:"
LINE = "s#line:"
"""The keys of rows of an invoice: they name its purchase in their details."""


class Marks:
    """I14: each give-back has its charge's one mark, and each mark its row."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._marks: dict[EntryKey, EntryKey] = {}
        self._rows: dict[EntryKey, EntryKey] = {}
        self.given: set[int] = set()

    def add_row(self, entry: Entry) -> None:
        """A void or refund waits for its mark, or has found it."""
        charge = entry.refers_to
        if charge is None:
            return
        self.given.add(hash(charge))
        if self._marks.get(charge) == entry.key:
            del self._marks[charge]
        else:
            self._rows[entry.key] = charge

    def add(self, mark: ChargeReturned) -> None:
        """A mark waits for its row, or has found it."""
        if self._rows.get(mark.by) == mark.charge:
            del self._rows[mark.by]
        else:
            self._marks[mark.charge] = mark.by

    def end(self, younger: set[EntryKey]) -> None:
        """None of them is alone."""
        for key, charge in sorted(self._rows.items()):
            what = f"it gives back {charge}, whose mark does not name it"
            self._notes.add("I14", f"row {key}", what)
        for charge, key in sorted(self._marks.items()):
            if key not in younger:
                self._notes.add("I14", f"mark {charge}", f"its row {key} gives nothing back")


class Purchases:
    """I12: each paid purchase has one row that brought what was paid for, and no other has.

    What went with its money, less what came back, is what the purchase says; what had ended
    unused by then did end in its grant.
    """

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._purchases: dict[str, Purchase] = {}
        self._rows: dict[str, int] = {}
        self._named: set[str] = set()
        self._back: dict[str, int] = {}
        self._expired: dict[str, int] = {}

    def add_row(self, entry: Entry) -> None:
        """A purchase's row waits to be held against it."""
        named = entry.details.get("purchase", "")
        if entry.kind in OF_PURCHASES:
            self._back[named] = self._back.get(named, 0) - entry.delta_microcredits
        elif named:
            self._named.add(named)
        elif entry.kind is EntryKind.EXPIRE and entry.grant is not None:
            self._expired[entry.grant.id] = entry.moved_microcredits
        if entry.key.startswith(PURCHASE):
            self._rows[entry.key.removeprefix(PURCHASE)] = entry.moved_microcredits
            if entry.key != f"{PURCHASE}{named}":
                self._notes.add("I12", f"seq {entry.seq}", f"{entry.key} names {named}")

    def add(self, purchase: Purchase) -> None:
        """A purchase that was not paid matters only where it has a row."""
        self._purchases[purchase.id] = purchase

    def end(self, account: Account | None, younger: set[EntryKey], *, has_moved: bool) -> None:
        """What was paid is what came in."""
        for _, purchase in sorted(self._purchases.items()):
            is_paid = purchase.status is PurchaseStatus.PAID
            came = self._rows.pop(purchase.id, None)
            if came is None and self._came_otherwise(purchase):
                continue
            if is_paid and came is None:
                is_younger = has_moved and _is_younger(purchase, account)
                if not is_younger and not _has_row(purchase, younger):
                    self._lose(purchase, "is paid, and no row brought its credits")
            elif came is not None and not is_paid:
                self._note(purchase.id, f"is {purchase.status}, and a row brought credits")
            elif came is not None and came != purchase.credits_microcredits:
                what = f"is for {show_micro(purchase.credits_microcredits)}, and its row brought"
                self._note(purchase.id, f"{what} {show_micro(came)}")
        for purchase_id in sorted(self._rows):
            self._note(purchase_id, "is not there, and a row brought its credits")
        if not younger and not has_moved:
            self._end_back()

    def _came_otherwise(self, purchase: Purchase) -> bool:
        """What a subscription pays for comes with its invoices, whose rows name them."""
        if purchase.kind is PurchaseKind.INVOICE:
            return purchase.id in self._named or not purchase.credits_microcredits
        return purchase.kind is PurchaseKind.PLAN

    def _end_back(self) -> None:
        """What went back is what the purchases say. Why: not while rows are being written."""
        for purchase in sorted(self._purchases.values(), key=lambda each: each.id):
            folded = self._back.pop(purchase.id, 0)
            lapsed = purchase.lapsed_microcredits
            stored = purchase.clawed_back_microcredits - purchase.uncollected_microcredits - lapsed
            where, what = f"purchase {purchase.id}", "what went with its money"
            self._notes.differ("I12", where, stored=stored, folded=folded, what=what)
            self._notes.in_payments += abs(stored - folded)
            expired = self._expired.get(purchase.grant, 0)
            if lapsed > expired:
                what = f"{show_micro(lapsed)} of it ended unused, and its grant's end says"
                self._note(purchase.id, f"{what} {show_micro(expired)}")
        for purchase_id in sorted(self._back):
            self._note(purchase_id, "is not there, and a row took or gave back its credits")

    def _lose(self, purchase: Purchase, what: str) -> None:
        self._notes.in_payments += purchase.credits_microcredits
        self._note(purchase.id, what)

    def _note(self, purchase: str, what: str) -> None:
        self._notes.add("I12", f"purchase {purchase}", what)


def _has_row(purchase: Purchase, keys: set[EntryKey]) -> bool:
    """One of these keys can be of the row that brought the purchase's credits."""
    return purchase_entry_key(purchase.id) in keys or any(key.startswith(LINE) for key in keys)


def _is_younger(purchase: Purchase, account: Account | None) -> bool:
    """It was paid after the account was read. Why: an account's time never goes back."""
    return account is None or purchase.paid_at is None or purchase.paid_at >= account.rolled_to
