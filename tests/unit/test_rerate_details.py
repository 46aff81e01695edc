"""A correction as a whole row, and the account that it leaves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.books import Book
from tests.unit.building import ACCOUNT, CATALOG, NOON, ONE, a_key, a_run
from tests.unit.waiting import priced_at, rerate, row_of, unknown
from tollkeeper.domain.account import Account, Windows
from tollkeeper.domain.draft import ChargeReturned, Decision
from tollkeeper.domain.entries import Entry, EntryKind, Run
from tollkeeper.domain.errors import NotPendingError, StillUnknownError
from tollkeeper.domain.grants import Draw, GrantKind
from tollkeeper.domain.pricing import Priced
from tollkeeper.domain.quarantine import Waiting
from tollkeeper.domain.rerating import (
    BEFORE,
    COST_CHANGE,
    PRICE,
    Rerate,
    correct_run,
    decide_rerate,
    refuse_settled,
    refuse_unknown,
)
from tollkeeper.domain.roll import begin
from tollkeeper.domain.totals import Total, TotalKey

KEY = TotalKey("chat", "gpt-9")


def charged(micro: int = 5 * ONE) -> Book:
    """A book with a charge of a model that nobody has a price for."""
    book = Book()
    book.plan("open", "free")
    book.charge("k", unknown(micro))
    return book


def decided(book: Book, right: Priced, charge: Entry | None = None) -> Decision:
    """What a correction to that price would write now."""
    draft, _ = begin(book.account, ACCOUNT, now=book.now, catalog=CATALOG)
    row = charge or row_of(book, "k")
    command = Rerate(a_key("again"), "h2", row, right, "it has a price", "service:ops")
    return decide_rerate(draft, command, CATALOG)


def account_of(book: Book) -> Account:
    """The account as it is stored."""
    assert book.account is not None
    return book.account


def test_what_was_too_much_is_one_row_that_says_all_of_it() -> None:
    book = charged()
    right = priced_at(ONE)
    warned = Priced(replace(right.run, warnings=("no_usage",)), ONE)
    charge = row_of(book, "k")
    assert charge.run is not None

    decision = decided(book, warned)

    (drawn,) = charge.draws
    assert decision.answer == Entry(
        account=ACCOUNT,
        key=a_key("again"),
        seq=4,
        kind=EntryKind.RERATE,
        at=NOON,
        delta_microcredits=4 * ONE,
        available_after_microcredits=9 * ONE,
        moved_microcredits=4 * ONE,
        request_hash="h2",
        run=correct_run(charge.run, warned.run),
        day=NOON.date(),
        draws=(Draw(drawn.grant, 4 * ONE),),
        refers_to=a_key("k"),
        reason="it has a price",
        actor="service:ops",
        details={BEFORE: "5000000", PRICE: "1000000", COST_CHANGE: "-4100"},
        warnings=("no_usage",),
        alerts=decision.answer.alerts if decision.answer else (),
    )
    assert decision.also == (
        ChargeReturned(a_key("k"), a_key("again"), is_rerate=True),
        Waiting(ACCOUNT, a_key("k"), NOON, "chat", "gpt-9", 5 * ONE, NOON, a_key("again")),
    )
    assert (BEFORE, PRICE, COST_CHANGE) == (
        "before_microcredits",
        "price_microcredits",
        "cost_change_picousd",
    )


def test_what_was_too_little_is_owed_and_counted_where_the_plan_lets_it() -> None:
    book = Book()
    book.plan("open", "deep")
    book.grant("promo", 3)
    book.charge("k", unknown(2 * ONE))

    entry = rerate(book, "k", priced_at(6 * ONE))

    account = account_of(book)
    assert (entry.delta_microcredits, entry.moved_microcredits) == (-4 * ONE, 4 * ONE)
    assert (entry.debt_change_microcredits, account.debt_microcredits) == (3 * ONE, 3 * ONE)
    assert [draw.amount_microcredits for draw in entry.draws] == [ONE]
    assert (account.lifetime.spent, account.windows) == (
        6 * ONE,
        Windows(6 * ONE, 6 * ONE, 6 * ONE),
    )
    assert entry.uncollected_microcredits == 0


def test_what_comes_back_to_a_grant_that_is_over_is_in_a_new_one() -> None:
    book = Book()
    book.plan("open", "deep")
    book.grant("short", 5, hours=1)
    book.charge("k", unknown(5 * ONE))
    book.wait(hours=2)

    entry = rerate(book, "k", priced_at(ONE))

    assert entry.grant is not None
    assert (entry.grant.kind, entry.grant.remaining_microcredits) == (
        GrantKind.ADJUSTMENT,
        4 * ONE,
    )


def test_debt_is_paid_by_what_comes_back() -> None:
    book = Book()
    book.plan("open", "deep")
    book.charge("k", unknown(5 * ONE))

    entry = rerate(book, "k", priced_at(ONE))

    assert (entry.debt_change_microcredits, entry.draws) == (-4 * ONE, ())
    assert account_of(book).debt_microcredits == ONE


@pytest.mark.parametrize(
    ("was", "now", "change"), [(None, 900, 900), (5000, None, -5000), (None, None, 0)]
)
def test_a_cost_that_nobody_knew_counts_as_nothing(
    was: int | None, now: int | None, change: int
) -> None:
    book = Book()
    book.plan("open", "free")
    book.charge("k", unknown(5 * ONE, picousd=was))

    decision = decided(book, priced_at(6 * ONE, picousd=now))

    assert decision.answer is not None
    assert decision.answer.details[COST_CHANGE] == str(change)
    total = decision.account.totals[KEY]
    assert total == Total(1, 0, 6 * ONE, 0, (was or 0) + change, total.tokens)


def test_what_could_not_be_collected_stays_open_as_far_as_it_was_right() -> None:
    book = charged(10 * ONE)
    charge = replace(row_of(book, "k"), uncollected_microcredits=5 * ONE)

    more, same = (
        decided(book, priced_at(16 * ONE), charge),
        decided(book, priced_at(15 * ONE), charge),
    )

    assert more.answer is not None and same.answer is not None
    assert more.answer.details[BEFORE] == same.answer.details[BEFORE] == "15000000"
    assert more.answer.uncollected_microcredits == ONE
    assert more.account.lifetime.uncollected == ONE
    assert same.answer.uncollected_microcredits == 0


def test_what_ran_stays_and_its_prices_are_the_right_ones() -> None:
    was = unknown(5 * ONE).run
    right = replace(
        priced_at(ONE).run,
        operation="other",
        price_version="v2",
        provider="openai",
        priced_at=NOON,
        plan="pro",
        warnings=("no_usage",),
    )

    assert correct_run(was, right) == replace(
        was,
        lines=right.lines,
        cost_picousd=900,
        price_version="v2",
        provider="openai",
        priced_at=NOON,
        plan="pro",
        warnings=("no_usage",),
        stands_for="",
        pending="",
    )


def test_a_price_that_is_final_or_not_there_yet_says_so() -> None:
    book = charged()
    final = replace(row_of(book, "k"), run=a_run().run)

    with pytest.raises(NotPendingError) as settled:
        refuse_settled(final)
    assert settled.value.detail == "The price of this entry is final; it was not quarantined."
    refuse_settled(row_of(book, "k"))
    for run, shown in (
        (Run("chat", "gpt-9", pending="x"), "gpt-9"),
        (Run("chat", stands_for="gpt-4"), "a model of this run"),
    ):
        with pytest.raises(StillUnknownError) as unknown_:
            refuse_unknown(run)
        assert unknown_.value.detail == f"The catalog has no price for {shown} yet."
    refuse_unknown(Run("chat", "gpt-9"))
