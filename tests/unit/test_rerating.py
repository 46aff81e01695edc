"""A quarantined charge is corrected by one row, and every number that must hold does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.books import Book
from tests.unit.building import CATALOG, ONE, STEADY, a_key, a_run
from tests.unit.waiting import priced_at, rerate, row_of, unknown, with_policy
from tollkeeper.domain.account import Account
from tollkeeper.domain.catalog import SettlePolicy
from tollkeeper.domain.charges import Charge, GiveBack, decide_charge, decide_give_back
from tollkeeper.domain.draft import ChargeReturned, Decision, Draft
from tollkeeper.domain.entries import EntryKey, EntryKind
from tollkeeper.domain.errors import NotPendingError, StillUnknownError
from tollkeeper.domain.pricing import Priced
from tollkeeper.domain.quarantine import Waiting
from tollkeeper.domain.rerating import BEFORE, COST_CHANGE, PRICE, Rerate, decide_rerate
from tollkeeper.domain.roll import begin
from tollkeeper.domain.totals import TotalKey
from tollkeeper.store.audit import audit_items


def a_book(plan: str = "free") -> Book:
    """An account on the plan; free gives it ten credits."""
    book = Book()
    book.plan("open", plan)
    return book


def account_of(book: Book) -> Account:
    """The account as it is stored."""
    assert book.account is not None
    return book.account


def assert_sound(book: Book) -> None:
    """The deployed audit finds nothing."""
    findings = audit_items(book.items.values(), catalog=CATALOG)
    assert findings.found == ()


def decision_of(book: Book, charge: str, right: int) -> Decision:
    """What a rerate of that charge would write now."""
    draft, _ = begin(account_of(book), account_of(book).id, now=book.now, catalog=CATALOG)
    command = Rerate(a_key("again"), "h", row_of(book, charge), priced_at(right), "r")
    return decide_rerate(draft, command, CATALOG)


def charging(book: Book, priced: Priced) -> Decision:
    """The decision that charged the run, which the book has now."""
    made: list[Decision] = []

    def decide(draft: Draft) -> Decision:
        made.append(decide_charge(draft, Charge(a_key("k"), "h", priced), CATALOG))
        return made[-1]

    book.do(decide)
    return made[-1]


def test_what_was_too_much_goes_back_to_the_grants_that_it_came_from() -> None:
    book = a_book()
    book.grant("promo", 2)
    book.charge("k", unknown(5 * ONE))
    paid = {draw.amount_microcredits for draw in row_of(book, "k").draws}

    entry = rerate(book, "k", priced_at(ONE))

    account = account_of(book)
    assert paid == {2 * ONE, 3 * ONE}
    assert account.available_microcredits == 11 * ONE
    assert entry.delta_microcredits == entry.moved_microcredits == 4 * ONE
    assert (account.lifetime.spent, account.lifetime.refunded) == (ONE, 0)
    assert (account.windows.day, account.windows.month, account.windows.period) == (ONE,) * 3
    assert entry.refers_to == EntryKey("c#k")
    assert_sound(book)


def test_what_was_too_little_is_taken_as_a_charge_is() -> None:
    book = a_book()
    book.charge("k", unknown(2 * ONE))

    entry = rerate(book, "k", priced_at(5 * ONE))

    account = account_of(book)
    assert account.available_microcredits == 5 * ONE
    assert (entry.delta_microcredits, entry.moved_microcredits) == (-3 * ONE, 3 * ONE)
    assert entry.draws[0].amount_microcredits == 3 * ONE
    assert account.windows.day == account.lifetime.spent == 5 * ONE
    assert_sound(book)


def test_a_price_that_was_right_moves_nothing_and_is_final_all_the_same() -> None:
    book = a_book()
    book.charge("k", unknown(2 * ONE))

    entry = rerate(book, "k", priced_at(2 * ONE))

    assert (entry.delta_microcredits, entry.draws) == (0, ())
    assert entry.run is not None
    assert (entry.run.pending, entry.run.stands_for) == ("", "")
    assert account_of(book).available_microcredits == 8 * ONE
    assert_sound(book)


def test_totals_have_the_right_credits_and_cost_and_one_call() -> None:
    book = a_book()
    book.charge("k", unknown(5 * ONE, picousd=5000))

    rerate(book, "k", priced_at(ONE, picousd=900))

    total = account_of(book).totals[TotalKey("chat", "gpt-9")]
    assert (total.calls, total.credits_microcredits, total.refunded_microcredits) == (1, ONE, 0)
    assert (total.cost_picousd, total.tokens[0]) == (900, 20)


def test_a_correction_of_a_past_day_counts_today_and_leaves_the_closed_day() -> None:
    book = a_book()
    book.charge("k", unknown(5 * ONE))
    book.wait(days=1)
    book.charge("other", a_run("sms", quantity=ONE))

    rerate(book, "k", priced_at(ONE))

    account = account_of(book)
    assert account.totals[TotalKey("chat", "gpt-9")].credits_microcredits == -4 * ONE
    assert (account.windows.day, account.windows.month) == (ONE, 2 * ONE)
    assert_sound(book)


@pytest.mark.parametrize(
    ("policy", "taken", "left_open"),
    [
        (SettlePolicy.CHARGE_AVAILABLE, 8, 5),
        (SettlePolicy.REJECT, 8, 5),
        (SettlePolicy.DEBT, 13, 0),
    ],
)
def test_what_is_not_there_is_owed_or_left_open_as_the_plan_says(
    policy: SettlePolicy, taken: int, left_open: int
) -> None:
    book = a_book()
    book.charge("k", unknown(2 * ONE))

    entry = rerate(book, "k", priced_at(15 * ONE), catalog=with_policy(policy))

    account = account_of(book)
    assert entry.moved_microcredits == taken * ONE
    assert entry.uncollected_microcredits == left_open * ONE == account.lifetime.uncollected
    assert account.debt_microcredits == max(0, taken - 8) * ONE
    assert_sound(book)


@pytest.mark.parametrize(
    ("right", "moved", "open_after"), [(12, 0, 2), (20, 0, 10), (15, 0, 5), (8, 2, 0), (10, 0, 0)]
)
def test_what_was_not_there_at_first_is_not_asked_for_again(
    right: int, moved: int, open_after: int
) -> None:
    """Ten of fifteen were collected, by a settle above its hold; nothing is left."""
    book = a_book()
    book.charge("k", unknown(10 * ONE))
    charge = replace(row_of(book, "k"), uncollected_microcredits=5 * ONE)
    command = Rerate(a_key("again"), "h", charge, priced_at(right * ONE), "r")

    book.do(lambda draft: decide_rerate(draft, command, CATALOG))

    entry = row_of(book, "again")
    assert entry.moved_microcredits == moved * ONE
    assert 5 * ONE + entry.uncollected_microcredits == open_after * ONE


def test_only_what_waits_for_its_price_can_be_priced_anew() -> None:
    book = a_book()
    book.charge("k", a_run())
    book.charge("q", unknown(ONE))
    book.give_back("q", "v")

    for key in ("k", "v"):
        with pytest.raises(NotPendingError):
            rerate(book, key, priced_at(ONE))


def test_a_model_that_is_still_unknown_changes_nothing() -> None:
    book = a_book()
    book.charge("k", unknown(5 * ONE))
    before = dict(book.items)

    for right in (unknown(ONE), replace(unknown(ONE), run=replace(unknown(ONE).run, pending=""))):
        with pytest.raises(StillUnknownError):
            rerate(book, "k", right)

    assert book.items == before


def test_it_takes_the_mark_of_its_charge_and_ends_its_waiting() -> None:
    book = a_book()
    book.charge("k", unknown(5 * ONE))

    mark, waiting = decision_of(book, "k", ONE).also

    assert mark == ChargeReturned(EntryKey("c#k"), a_key("again"), is_rerate=True)
    assert isinstance(waiting, Waiting)
    assert (waiting.charge, waiting.by, waiting.resolved_at) == (
        EntryKey("c#k"),
        a_key("again"),
        book.now,
    )


def test_a_charge_that_waits_is_in_the_list_and_a_void_takes_it_out() -> None:
    book = a_book()
    decision = charging(book, unknown(ONE))
    assert decision.answer is not None
    draft, _ = begin(account_of(book), account_of(book).id, now=book.now, catalog=CATALOG)
    void = GiveBack(a_key("v"), "h", decision.answer, EntryKind.VOID)

    (begins,) = decision.also
    *_, ends = decide_give_back(draft, void).also

    assert isinstance(begins, Waiting)
    assert isinstance(ends, Waiting)
    assert (begins.resolved_at, ends.resolved_at) == (None, book.now)
    assert replace(ends, resolved_at=None, by=None) == begins


def test_what_has_its_price_is_in_no_list() -> None:
    assert charging(a_book(), a_run()).also == ()


AMOUNTS = st.integers(0, 12 * ONE)


@STEADY
@given(
    plan=st.sampled_from(["free", "deep", "keep", "month"]),
    charged=AMOUNTS,
    right=AMOUNTS,
    cost=st.none() | st.integers(0, 10**6),
    between=st.sampled_from(["", "day", "month", "plan", "spent", "promo"]),
)
def test_every_number_holds_after_a_correction(
    plan: str, charged: int, right: int, cost: int | None, between: str
) -> None:
    book = a_book(plan)
    book.grant("g", 12, hours=30)
    book.charge("k", unknown(charged))
    match between:
        case "day":
            book.wait(days=2)
        case "month":
            book.wait(days=40)
        case "plan":
            book.plan("p2", "pro")
        case "spent":
            available = account_of(book).available_microcredits
            book.charge("rest", priced_at(max(0, available)))
        case "promo":
            book.grant("g2", 3)
        case _:
            pass

    entry = rerate(book, "k", priced_at(right, picousd=cost))

    account = account_of(book)
    assert -entry.delta_microcredits + charged + entry.uncollected_microcredits == right
    assert entry.delta_microcredits <= 0 or right < charged
    assert account.lifetime.refunded == 0
    assert_sound(book)


def corrected() -> Book:
    """Five credits were charged, and one is right."""
    book = a_book()
    book.charge("other", a_run())
    book.charge("k", unknown(5 * ONE))
    rerate(book, "k", priced_at(ONE))
    return book


@pytest.mark.parametrize(
    ("sort_key", "changed", "invariant"),
    [
        ("E#c#again", {"charged": 3 * ONE}, "I1"),
        ("E#c#again", {"delta": 5 * ONE, "charged": 5 * ONE}, "I2"),
        ("E#c#again", {"rf": "c#other"}, "I14"),
        ("E#c#again", {"rf": None}, "I14"),
        ("E#c#again", {"dt": {COST_CHANGE: "1", BEFORE: "0", PRICE: "0"}}, "I15"),
        ("B#c#k", {"by": "c#nobody"}, "I14"),
        ("E#c#k", {"charged": 3 * ONE}, "I14"),
    ],
)
def test_the_audit_finds_a_correction_that_is_none(
    sort_key: str, changed: dict[str, Any], invariant: str
) -> None:
    book = corrected()
    assert_sound(book)

    book.change(sort_key, **changed)

    found = audit_items(book.items.values(), catalog=CATALOG).found
    assert invariant in {each.invariant for each in found}, found


def test_the_audit_finds_a_correction_without_its_mark_and_a_mark_without_its_row() -> None:
    for lost in ("B#c#k", "E#c#again"):
        book = corrected()
        del book.items[lost]

        found = audit_items(book.items.values(), catalog=CATALOG).found

        assert "I14" in {each.invariant for each in found}, lost
