"""Items of one account to an audit: each is what its key says, or a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tollkeeper.domain.account import Account
from tollkeeper.domain.audit import Audit
from tollkeeper.domain.audit_findings import Findings
from tollkeeper.domain.catalog import Catalog
from tollkeeper.store.billing import billing_from_item
from tollkeeper.store.items import SCHEMA, account_from_item, entry_from_item
from tollkeeper.store.payments import purchase_from_item
from tollkeeper.store.rows import Item, number
from tollkeeper.store.writes import day_from_item, returned_from_item

LATEST = number(SCHEMA)


def audit_items(items: Iterable[Item], *, catalog: Catalog | None = None) -> Findings:
    """What does not hold in the items of one account, all of them, in any order.

    Shape: raw items of one partition `A#...`, as the low-level client answers them: the account,
    its rows `E#`, days `D#`, marks `B#` and purchases `P#`, and how it pays, `M`.
    Cost: 30 to 40 microseconds and 130 to 200 bytes an entry; best with the account item first.
    """
    audit = Audit(catalog=catalog)
    for item in items:
        feed(audit, item)
    return audit.finish()


def feed(audit: Audit, item: Item) -> None:
    """The item is audited; one that cannot be read is a finding."""
    try:
        sort_key: str = item["sk"]["S"]
        if item.get("sv") != LATEST:
            raise ValueError(f"its schema is {item.get('sv')}")
        READERS[sort_key[:2]](audit, item)
    except Exception as error:  # noqa: BLE001 - an item that nobody wrote is a finding
        where = f"item {item.get('sk')}"[:300]
        audit.add_unreadable(where, f"cannot be read: {type(error).__name__} {error}"[:300])


def read_account(audit: Audit, item: Item) -> None:
    """The account item. Raises: whatever it cannot be read for."""
    account: Account = account_from_item(item)
    audit.see_account(account)


def _read_row(audit: Audit, item: Item) -> None:
    audit.add(entry_from_item(item))


def _read_day(audit: Audit, item: Item) -> None:
    audit.add_day(day_from_item(item))


def _read_mark(audit: Audit, item: Item) -> None:
    audit.add_mark(returned_from_item(item))


def _read_purchase(audit: Audit, item: Item) -> None:
    audit.add_purchase(purchase_from_item(item))


def _read_billing(_: Audit, item: Item) -> None:
    """How it pays moves no credits; it has to be readable."""
    billing_from_item(item)


READERS: dict[str, Callable[[Audit, Item], None]] = {
    "A": read_account,
    "E#": _read_row,
    "D#": _read_day,
    "B#": _read_mark,
    "P#": _read_purchase,
    "M": _read_billing,
}
