"""Items: what is written is what is read, and an account item is bounded."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from benchmarks.sizes import item_bytes
from local.template import read_template, table_definition
from tollkeeper.domain.account import Account, Lifetime, PlanState, Status, Windows
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.grants import MOST_GRANTS, Grant, GrantKind
from tollkeeper.domain.spending import MOST_VOLUMES
from tollkeeper.domain.totals import MOST_TOTALS_PER_DAY, Total, TotalKey
from tollkeeper.domain.usage import POOL_NAMES
from tollkeeper.store.items import HISTORY_ATTRIBUTES, account_from_item, account_to_item

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LARGEST = 10**15
BOUND_BYTES = 32 * 1024


def full_account() -> Account:
    """An account at every bound at once: names of full length, amounts of full size."""
    grants = tuple(
        Grant(
            id=f"g{10**6 + number}",
            kind=GrantKind.ADJUSTMENT,
            priority=1000,
            amount_microcredits=LARGEST,
            remaining_microcredits=LARGEST // 2,
            effective_at=NOW,
            expires_at=NOW + timedelta(days=number + 1),
            has_started=False,
        )
        for number in range(MOST_GRANTS)
    )
    total = Total(10**6, 10**6, LARGEST, LARGEST, 10**15, tokens=(10**9,) * len(POOL_NAMES))
    totals = {
        TotalKey(f"{number:064}", f"{number:0128}", f"{number:0129}"): total
        for number in range(MOST_TOTALS_PER_DAY)
    }
    return Account(
        id=AccountId("a" * 128),
        plan=PlanState("p" * 64, 10**6, NOW, NOW, date(2026, 1, 31), "n" * 64, date(2026, 1, 30)),
        zone="America/Argentina/ComodRivadavia",
        today=date(2026, 11, 20),
        rolled_to=NOW,
        version=10**9,
        seq=10**9,
        status=Status.FROZEN,
        next_zone="America/North_Dakota/New_Salem",
        next_zone_at=NOW,
        name="\N{GRINNING FACE}" * 128,
        grants=grants,
        debt_microcredits=LARGEST,
        features={f"{number:064}": 10**9 for number in range(50)},
        volumes={f"{number:064}": LARGEST * 10**6 for number in range(MOST_VOLUMES)},
        windows=Windows(LARGEST, LARGEST, LARGEST),
        totals=totals,
        lifetime=Lifetime(LARGEST, LARGEST, LARGEST, LARGEST, LARGEST, LARGEST),
    )


def test_an_account_at_every_bound_is_at_most_32_kilobytes() -> None:
    assert item_bytes(account_to_item(full_account(), due_ms=10**13)) <= BOUND_BYTES


def test_an_account_is_read_as_it_was_written() -> None:
    account = full_account()

    assert account_from_item(account_to_item(account, due_ms=10**13)) == account
    plain = replace(account, status=Status.ACTIVE, next_zone="", next_zone_at=None, totals={})
    assert account_from_item(account_to_item(plain, due_ms=0)) == plain


def test_the_history_index_projects_what_a_list_shows() -> None:
    definition = table_definition(read_template(), name="any")
    indexes = {index["IndexName"]: index for index in definition.get("GlobalSecondaryIndexes", [])}

    projected = indexes["history"]["Projection"].get("NonKeyAttributes", [])

    assert sorted(projected) == sorted(HISTORY_ATTRIBUTES)
