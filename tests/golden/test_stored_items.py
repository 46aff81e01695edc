"""What earlier versions stored: it is read as it was meant, and written the same way today.

Why: an attribute that is renamed, on either side, loses that member of every item in the table.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.golden import (
    stored,
    stored_billing,
    stored_debt,
    stored_gate,
    stored_payments,
    stored_prices,
)
from tollkeeper.store.api_keys import api_key_from_item, api_key_to_item
from tollkeeper.store.billing import billing_from_item, billing_to_item
from tollkeeper.store.cases import case_from_item, case_to_item, case_to_list_item
from tollkeeper.store.codes import (
    code_from_item,
    code_to_item,
    made_from_item,
    made_to_item,
    redeemed_to_item,
)
from tollkeeper.store.items import (
    HISTORY_ATTRIBUTES,
    account_from_item,
    account_to_item,
    entry_from_item,
    entry_to_item,
)
from tollkeeper.store.payments import (
    event_to_item,
    link_from_item,
    link_to_item,
    purchase_from_item,
    purchase_to_item,
)
from tollkeeper.store.quarantine import waiting_from_item, waiting_to_item
from tollkeeper.store.rows import Item
from tollkeeper.store.writes import (
    day_from_item,
    day_to_item,
    returned_from_item,
    returned_to_item,
)

STORED: dict[str, Item] = json.loads(
    Path(__file__).with_name("stored_items.json").read_text(encoding="utf-8")
)
DUE_MS = 1_796_083_200_123


def account_item(account: Any) -> Item:
    """The account item, due at a moment of the test's own."""
    return account_to_item(account, due_ms=DUE_MS)


def mark_item(mark: Any) -> Item:
    """The mark of one of the account's charges."""
    return returned_to_item(stored.USER, mark)


VALUES: dict[str, tuple[object, Callable[[Any], Item] | None, Callable[[Item], object] | None]] = {
    "account.full": (stored.FULL_ACCOUNT, account_item, account_from_item),
    "account.bare": (stored.BARE_ACCOUNT, account_item, account_from_item),
    "account.gate": (stored_gate.GATE_ACCOUNT, account_item, account_from_item),
    "account.never_low": (stored_gate.NEVER_LOW_ACCOUNT, account_item, account_from_item),
    "account.prices": (stored_prices.PRICED_ACCOUNT, account_item, account_from_item),
    "account.paying": (stored_debt.PAYING_ACCOUNT, account_item, account_from_item),
    "account.owing": (stored_debt.OWING_ACCOUNT, account_item, account_from_item),
    "entry.clawback": (stored_debt.TAKEN_ENTRY, entry_to_item, entry_from_item),
    "entry.reinstate": (stored_debt.GIVEN_ENTRY, entry_to_item, entry_from_item),
    "entry.prices": (stored_prices.PRICED_ENTRY, entry_to_item, entry_from_item),
    "entry.settle": (stored_gate.SETTLE_ENTRY, entry_to_item, entry_from_item),
    "entry.full": (stored.FULL_ENTRY, entry_to_item, entry_from_item),
    "entry.bare": (stored.BARE_ENTRY, entry_to_item, entry_from_item),
    "entry.bare_run": (stored.BARE_RUN_ENTRY, entry_to_item, entry_from_item),
    "purchase.full": (stored.FULL_PURCHASE, purchase_to_item, purchase_from_item),
    "purchase.bare": (stored.BARE_PURCHASE, purchase_to_item, purchase_from_item),
    "key.full": (stored.FULL_KEY, api_key_to_item, api_key_from_item),
    "key.bare": (stored.BARE_KEY, api_key_to_item, api_key_from_item),
    "link": (stored.LINK, link_to_item, link_from_item),
    "purchase.money": (stored_payments.PURCHASE, purchase_to_item, purchase_from_item),
    "link.remembering": (stored_payments.REMEMBERING, link_to_item, link_from_item),
    "link.alias": (stored_payments.ALIAS, link_to_item, link_from_item),
    "link.ended": (stored_payments.ENDED, link_to_item, link_from_item),
    "case.open": (stored_payments.OPEN_CASE, case_to_item, case_from_item),
    "case.bare": (stored_payments.BARE_CASE, case_to_item, case_from_item),
    "case.resolved": (stored_payments.RESOLVED_CASE, case_to_item, case_from_item),
    "case.listed": (stored_payments.RESOLVED_CASE, case_to_list_item, case_from_item),
    "billing.full": (stored_billing.FULL_BILLING, billing_to_item, billing_from_item),
    "billing.bare": (stored_billing.BARE_BILLING, billing_to_item, billing_from_item),
    "code.full": (stored_billing.FULL_CODE, code_to_item, code_from_item),
    "code.bare": (stored_billing.BARE_CODE, code_to_item, code_from_item),
    "code.redeemed": (stored_billing.REDEEMED, redeemed_to_item, None),
    "code.made": (stored_billing.MADE, made_to_item, made_from_item),
    "event": (stored.EVENT, event_to_item, None),
    # Before days were listed: read for good, and written so no more.
    "day": (stored.DAY, None, day_from_item),
    "day.listed": (stored.DAY, lambda day: day_to_item(stored.USER, day), day_from_item),
    "returned": (stored.RETURNED, mark_item, returned_from_item),
    "returned.rerate": (stored.RERATED, mark_item, returned_from_item),
    "waiting": (stored.WAITING, waiting_to_item, waiting_from_item),
    "waiting.resolved": (stored.RESOLVED, waiting_to_item, waiting_from_item),
}


@pytest.mark.parametrize("name", [name for name in VALUES if VALUES[name][1]])
def test_what_is_written_today_is_what_earlier_versions_wrote(name: str) -> None:
    value, to_item, _ = VALUES[name]

    assert to_item is not None
    assert to_item(value) == STORED[name]


@pytest.mark.parametrize("name", [name for name in VALUES if VALUES[name][2]])
def test_what_earlier_versions_wrote_is_read_as_it_was_meant(name: str) -> None:
    value, _, from_item = VALUES[name]

    assert from_item is not None
    assert from_item(STORED[name]) == value


def test_every_stored_item_has_a_value_that_it_means() -> None:
    assert STORED.keys() == VALUES.keys()


def test_a_history_row_of_names_only_is_read_as_a_run_without_its_details() -> None:
    """Shape: what the history index projects, which has no `run`."""
    full = STORED["entry.full"]
    listed = {name: full[name] for name in ("pk", "sk", "entry_seq", *HISTORY_ATTRIBUTES)}

    entry = entry_from_item(listed)

    assert entry.run is not None
    assert (entry.run.operation, entry.run.model, entry.run.label) == (
        "chat",
        "gpt-4",
        "tutor/essay",
    )
    assert (entry.run.feature_count, entry.run.lines, entry.run.pools) == (0, (), None)
    assert entry.moved_microcredits == stored.FULL_ENTRY.moved_microcredits


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        *[("account.full", lost) for lost in ("v", "q", "pg", "ps", "pe", "ro", "td", "gr", "wi")],
        ("account.full", "li"),
        *[("entry.full", lost) for lost in ("entry_seq", "kind", "delta", "after", "at")],
        ("entry.full", "charged"),
    ],
)
def test_an_item_that_lost_what_every_item_has_is_not_believed(name: str, attribute: str) -> None:
    _, _, from_item = VALUES[name]
    item = {key: value for key, value in STORED[name].items() if key != attribute}

    assert from_item is not None
    with pytest.raises((KeyError, AssertionError)):
        from_item(item)
