"""What waits for a person or a price, and what a page hears, as whole values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.building import ACCOUNT, NOON, a_key
from tollkeeper.domain.cases import CASE_ID, Case, Release, Resolution, case_id_of, resolved
from tollkeeper.domain.entries import AccountId, Entry, EntryKind, Run
from tollkeeper.domain.live import channels_at, latest_news, moves_on_at
from tollkeeper.domain.quarantine import Waiting, end_waiting, is_waiting, list_waiting
from tollkeeper.store.cases import case_shard, case_to_item, case_to_list_item
from tollkeeper.store.payment_writes import payment_to_writes
from tollkeeper.store.quarantine import waiting_from_item, waiting_to_item
from tollkeeper.store.writes import IS_NEW, Write, is_version

CASE = Case("case_1", NOON, "the amount is 1", "evt_1", "t", version=3)
ROW = Entry(
    account=ACCOUNT,
    key=a_key("k"),
    seq=2,
    kind=EntryKind.CHARGE,
    at=NOON,
    delta_microcredits=-5,
    moved_microcredits=5,
    available_after_microcredits=7,
    run=Run("chat", "gpt-9", pending="unknown_model"),
)
WAITING = Waiting(ACCOUNT, a_key("k"), NOON, "chat", "gpt-9", 5)
LATER = NOON + timedelta(hours=1)


# ---- Cases


def test_a_subject_has_one_case_for_ever() -> None:
    assert CASE_ID.fullmatch(case_id_of("pi_1"))
    assert case_id_of("pi_1") == "case_8acdbc7707f726a9e50ee2b3c3031f50"


def test_a_case_is_resolved_as_the_person_said() -> None:
    release = Release("case_1", Resolution.GRANTED, "asked the customer", "user_1", 5)
    decided = replace(
        CASE,
        resolved_at=LATER,
        resolution=Resolution.GRANTED,
        note="asked the customer",
        version=4,
    )

    assert resolved(CASE, release, at=LATER) == decided
    assert resolved(CASE, release, at=LATER, granted="pur_2") == replace(decided, granted="pur_2")


def test_a_case_is_written_over_its_version_and_its_place_in_the_list_with_it() -> None:
    own = {"Item": case_to_item(CASE), **is_version(2)}

    assert payment_to_writes(CASE) == [
        Write("case", own),
        Write("case", {"Item": case_to_list_item(CASE)}),
    ]
    assert payment_to_writes(replace(CASE, version=1))[0].put == {
        "Item": case_to_item(replace(CASE, version=1)),
        **IS_NEW,
    }


def test_cases_are_spread_over_all_parts_of_the_list() -> None:
    assert {case_shard(case_id_of(f"pi_{n}")) for n in range(50)} == {0, 1, 2, 3}


# ---- Prices


@pytest.mark.parametrize("kind", EntryKind)
def test_only_a_charge_or_a_settle_waits_for_its_price(kind: EntryKind) -> None:
    waits = kind in (EntryKind.CHARGE, EntryKind.SETTLE)

    assert is_waiting(replace(ROW, kind=kind)) is waits


def test_what_has_its_price_or_is_no_run_waits_for_none() -> None:
    final = replace(ROW, run=Run("chat", "gpt-9"))

    assert not is_waiting(final)
    assert not is_waiting(replace(ROW, run=None))
    assert list_waiting([ROW, final]) == (WAITING,)
    assert end_waiting(final, at=LATER, by=a_key("v")) == ()


def test_what_waits_no_more_says_when_and_by_which_row() -> None:
    ended = replace(WAITING, resolved_at=LATER, by=a_key("v"))

    assert end_waiting(ROW, at=LATER, by=a_key("v")) == (ended,)
    assert waiting_from_item(waiting_to_item(ended)) == ended
    assert waiting_from_item(waiting_to_item(WAITING)) == WAITING


# ---- What a page hears


def test_the_news_has_what_the_last_row_left() -> None:
    (told,) = latest_news([replace(ROW, seq=3), ROW, replace(ROW, seq=3, key=a_key("same"))])

    assert (told.account, told.available_microcredits, told.seq, told.kind) == (
        ACCOUNT,
        7,
        3,
        "charge",
    )


def test_a_channel_and_when_it_is_left_are_the_same_for_ever() -> None:
    at = datetime(2026, 11, 20, 12, 2, tzinfo=UTC)

    both = (
        "/accounts/da27ed26784a7530802d00773d1d443939d27aa8",
        "/accounts/dc63d7164f40130b5731446e70204a9f55ddd62f",
    )

    assert channels_at(ACCOUNT, at - timedelta(seconds=1)) == both
    assert channels_at(ACCOUNT, at) == both[:1]
    for account, second in ((ACCOUNT, 74), (AccountId("user_2"), 99)):
        moves_on = datetime(2026, 11, 20, 13, tzinfo=UTC) + timedelta(seconds=second)
        assert moves_on_at(account, at) == moves_on
