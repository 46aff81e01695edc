"""What can be wrong in a ledger: one thing each, and the invariant that must be named for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.unit.books import PURCHASE, PURCHASE_ROW, Book, everything, indebted, owing
from tests.unit.building import ONE

DAY = "D#2026-11-20"
FIRST = "E#t#reset:1:2026-11-20T12:00:00.000000Z"
SECOND = "E#t#reset:2:2026-11-30T23:00:00.000000Z"
THIRD = "E#t#reset:3:2026-12-08T12:00:00.001000Z"
ROLLED = "E#t#reset:3:2026-12-31T23:00:00.000000Z"
LAST = "E#t#reset:4:2027-01-07T13:00:00.000000Z"
NO_NUMBER = 10**15 + 1


@dataclass(frozen=True)
class Wrong:
    """Something that is wrong, and where and as what it must be named."""

    name: str
    invariant: str
    says: str
    make: Callable[[Book], object]
    book: Callable[[], Book] = everything


def row(key: str, **attributes: Any) -> Callable[[Book], None]:
    """An item's attributes are others."""
    return lambda book: book.change(key, **attributes)


def without(key: str) -> Callable[[Book], object]:
    """An item is lost."""
    return lambda book: book.items.pop(key)


def renamed(key: str, other: str) -> Callable[[Book], None]:
    """A row stands under another key."""

    def rename(book: Book) -> None:
        item = book.items.pop(key)
        book.items[other] = item | {"sk": {"S": other}}

    return rename


def put(key: str, like: str, **attributes: Any) -> Callable[[Book], None]:
    """A further item, like one that is there."""

    def add(book: Book) -> None:
        book.items[key] = book.items[like] | {"sk": {"S": key}}
        book.change(key, **attributes)

    return add


def edited(key: str, name: str, edit: Callable[[Any], object]) -> Callable[[Book], None]:
    """A text of JSON inside an item is edited; the edit returns what stands there then."""
    return lambda book: book.change(key, **{name: json.dumps(edit(book.read(key, name)))})


def with_at(place: int, value: object) -> Callable[[list[Any]], object]:
    """A list with another value in one place."""
    return lambda rows: [*rows[:place], value, *rows[place + 1 :]]


def in_row(number: int, place: int, value: object) -> Callable[[Any], object]:
    """A list of lists with another value in one place of one of them."""
    return lambda rows: with_at(number, with_at(place, value)(rows[number]))(rows)


def together(*makes: Callable[[Book], object]) -> Callable[[Book], None]:
    """Several things are wrong."""

    def make_all(book: Book) -> None:
        for make in makes:
            make(book)

    return make_all


ROWS_ALONE = [
    Wrong("a second draw of a half", "I19", "1.5", edited("E#c#k7", "dr", in_row(1, 7, 1.5))),
    Wrong("an amount that is no integer", "I19", "1.5", edited("E#c#k1", "dr", in_row(0, 7, 1.5))),
    Wrong("true for an amount", "I19", "True", edited("E#c#k1", "dr", in_row(0, 7, True))),
    Wrong("a text for an amount", "I19", "'1'", edited("E#c#up", "gt", with_at(4, "1"))),
    Wrong("an amount below zero", "I19", "-5", edited("E#c#up", "gt", with_at(3, -5))),
    Wrong("a priority of text", "I19", "'x'", edited("E#c#up", "gt", with_at(2, "x"))),
    Wrong("an amount out of range", "I19", f"{NO_NUMBER}", row("E#c#k1", charged=NO_NUMBER)),
    Wrong("a delta out of range", "I19", f"-{NO_NUMBER}", row("E#c#k1", delta=-NO_NUMBER)),
    Wrong("an after out of range", "I19", f"{NO_NUMBER}", row("E#c#k1", after=NO_NUMBER)),
    Wrong("a debt out of range", "I19", f"{NO_NUMBER}", row("E#c#k1", da=NO_NUMBER)),
    Wrong("a debt change out of range", "I19", f"{NO_NUMBER}", row("E#c#k1", dc=NO_NUMBER)),
    Wrong("row 0", "I19", "0 is no seq", row("E#c#k1", entry_seq=0)),
    Wrong("a grant of the account", "I19", "2.5", edited("A", "gr", in_row(0, 4, 2.5))),
    Wrong("a counter of the account", "I19", "'7'", edited("A", "li", with_at(3, "7"))),
    Wrong("a window of the account", "I19", "2.0", edited("A", "wi", with_at(0, 2.0))),
    Wrong("a feature's count", "I19", "'1'", row("A", fe={"call": "1"})),
    Wrong("a key of another kind", "I17", "has the key", renamed("E#t#expire:g6", "E#c#gone")),
    Wrong("a moved amount", "I1", "a charge of 2 changed -1", row("E#c#k1", charged=2 * ONE)),
    Wrong("a negative amount", "I1", "a charge of -1", row("E#c#k1", charged=-ONE, delta=ONE)),
    Wrong("a charge without its day", "I15", "a charge lacks", row("E#c#k1", dy=None)),
    Wrong("a grant with a day", "I15", "a grant has", row("E#c#promo", dy="2026-11-20")),
    Wrong("a void of nothing", "I14", "a void names no charge", row("E#c#v1", rf=None)),
    Wrong("a charge that gives back", "I14", "a charge names", row("E#c#k2", rf="c#k1")),
    Wrong(
        "a profile that draws",
        "I1",
        "a profile draws",
        row("E#c#berlin", dr=[["g7", "promo", 10, 3, 3, 0, 0, 1]]),
    ),
    Wrong("a profile with debt", "I3", "a profile changes the debt", row("E#c#berlin", dc=-1)),
    Wrong("a grant on credit", "I3", "a grant changes the debt", row("E#c#promo", dc=ONE)),
    Wrong("a grant of no grant", "I1", "a grant names no grant", row("E#c#promo", gt=None)),
    Wrong("credits from nowhere", "I1", "leave 5 unexplained", row("E#c#promo", gt=None)),
    Wrong(
        "a charge that draws too little",
        "I1",
        "-0.4",
        edited("E#c#k1", "dr", in_row(0, 7, 600_000)),
    ),
    Wrong(
        "a charge into a grant",
        "I1",
        "a charge names the grant",
        lambda book: book.change("E#c#k1", gt=book.read("E#c#up", "gt")),
    ),
    Wrong(
        "the end of another grant",
        "I10",
        "expires g6",
        edited("E#t#expire:g5", "gt", with_at(0, "g6")),
    ),
    Wrong("an end that gives", "I1", "it moves 1.8 in g6", row("E#t#expire:g6", delta=1_800_000)),
    Wrong("a grant that gives less", "I1", "it moves -5 in g5", row("E#c#promo", delta=-5 * ONE)),
    Wrong(
        "a grant that waits and counts",
        "I1",
        "g7 has started",
        edited("E#c#later", "gt", lambda gt: gt[:7]),
    ),
    Wrong(
        "a grant that counts and waits",
        "I1",
        "g5 has not started",
        edited("E#c#promo", "gt", lambda gt: [*gt, 0]),
    ),
    Wrong("a reset that waits", "I1", "a reset names g1", edited(FIRST, "gt", lambda gt: [*gt, 0])),
    Wrong(
        "drawn after its end",
        "I10",
        "draws from g1, which",
        edited("E#c#k1", "dr", in_row(0, 6, 1_795_176_000_000)),
    ),
    Wrong(
        "drawn before its start",
        "I10",
        "draws from g1, which",
        edited("E#c#k1", "dr", in_row(0, 5, 1_795_176_000_001)),
    ),
    Wrong(
        "taken down after its end",
        "I10",
        "draws from g6, which",
        edited("E#c#down", "dr", in_row(0, 6, 5)),
    ),
]

IN_ORDER = [
    Wrong("a row is lost", "I2", "seq 12: is not there", without("E#c#f1")),
    Wrong(
        "two rows are lost",
        "I2",
        "seq 3 to 4: is not there",
        together(without("E#c#k2"), without("E#c#v1")),
    ),
    Wrong("the last row is lost", "I2", "seq 38: is not there", without("E#c#k11")),
    Wrong("the first row is lost", "I2", "seq 1: is not there", without(FIRST)),
    Wrong("a row is counted, not there", "I17", "38 rows, and 37 are", without("E#c#f1")),
    Wrong(
        "a row nobody counted", "I17", "beyond it are 1: c#x", put("E#c#x", "E#c#f1", entry_seq=39)
    ),
    Wrong("a second row of a seq", "I2", "c#x has the seq of another", put("E#c#x", "E#c#f1")),
    Wrong(
        "rows change places",
        "I2",
        "it begins with",
        together(row("E#c#k1", entry_seq=3), row("E#c#k2", entry_seq=2)),
    ),
    Wrong(
        "a delta is other",
        "I2",
        "it begins with 8.5, and the row before it ends with 10",
        row("E#c#k1", delta=500_000, charged=500_000),
    ),
    Wrong(
        "an after is other",
        "I2",
        "and the row before it ends with 9.1",
        row("E#c#k1", after=9_100_000),
    ),
    Wrong("time goes back", "I2", "is before the last row's", row("E#c#k6", at=1_796_000_000_000)),
    Wrong(
        "the balance is other",
        "I1",
        "100 are available, and its last row says 111.2",
        edited("A", "gr", lambda rows: rows[-1:]),
    ),
    Wrong("a debt from nowhere", "I1", "debt is 1, and its rows explain 0", row("A", od=ONE)),
    Wrong("a debt is forgotten", "I1", "debt of 3", row("E#c#k2", da=ONE, dc=-2 * ONE), indebted),
    Wrong(
        "a row begins with another debt",
        "I1",
        "with a debt of 2.5, and there was 3",
        row("E#c#one", dc=-500_000),
        indebted,
    ),
    Wrong(
        "below the debt", "I3", "-3 available with a debt of 2", row("E#c#k1", da=2 * ONE), indebted
    ),
    Wrong("a debt below zero", "I3", "with a debt of -1", row("E#c#k1", da=-ONE)),
    Wrong(
        "debt while there is something",
        "I3",
        "debt was made while 1 were left",
        row("E#c#k1", da=4 * ONE),
        indebted,
    ),
    Wrong(
        "more debt than the plan allows",
        "I3",
        "a debt of 6; the plan deep allows 5",
        row("E#c#k1", da=6 * ONE, dc=6 * ONE, delta=-6 * ONE, after=-6 * ONE, charged=6 * ONE),
        indebted,
    ),
]

GRANTS = [
    Wrong(
        "a grant's own row says another rest",
        "I1",
        "says that g11 holds 1.5, and its rows say 2",
        edited("E#c#up", "gt", with_at(4, 1_500_000)),
    ),
    Wrong(
        "a row says another rest",
        "I1",
        "says that g1 holds 9.5, and its rows say 9",
        edited("E#c#k2", "dr", in_row(0, 4, 9_500_000)),
    ),
    Wrong(
        "drawn from another grant",
        "I1",
        "g5 holds 5, and its rows say 7",
        edited("E#c#r2", "dr", in_row(0, 0, "g5")),
    ),
    Wrong(
        "more than it has",
        "I1",
        "g6 gives more than the 0.5 it has",
        edited("E#c#down", "dr", in_row(0, 4, 500_000)),
    ),
    Wrong(
        "a grant out of nowhere",
        "I1",
        "no row before it brought g2",
        edited("E#c#k1", "dr", in_row(0, 0, "g2")),
    ),
    Wrong(
        "a grant before its row",
        "I1",
        "no row before it brought g5",
        edited("E#c#k2", "dr", in_row(0, 0, "g5")),
    ),
    Wrong(
        "a grant by another's row",
        "I1",
        "no row before it brought g12",
        edited("E#c#up", "gt", with_at(0, "g12")),
    ),
    Wrong(
        "drawn after it expired",
        "I10",
        "g6 expired before",
        edited("E#c#k4", "dr", in_row(0, 0, "g6")),
    ),
    Wrong(
        "it expires twice",
        "I10",
        "g6 expired before",
        together(
            renamed("E#t#expire:g5", "E#t#expire:g6x"),
            edited("E#t#expire:g6x", "gt", with_at(0, "g6")),
        ),
    ),
    Wrong(
        "a rest in the account",
        "I1",
        "grant g31: what it holds is 9, and its rows explain 8",
        edited("A", "gr", in_row(1, 4, 9 * ONE)),
    ),
    Wrong(
        "a grant is lost",
        "I1",
        "grant g13: what it holds is 0, and its rows explain 100",
        edited("A", "gr", lambda rows: rows[:-1]),
    ),
    Wrong(
        "a grant nobody gave",
        "I1",
        "grant g99: what it holds is 1",
        edited("A", "gr", lambda rows: [*rows, ["g99", "promo", 10, ONE, ONE, 0, 0]]),
    ),
    Wrong(
        "a grant twice",
        "I1",
        "two of its grants have one id",
        edited("A", "gr", lambda rows: [*rows, rows[-1]]),
    ),
    Wrong(
        "what waits is other",
        "I1",
        "grant g34: what waits in it is 9, and its rows explain 8",
        edited("A", "gr", in_row(0, 4, 9 * ONE)),
    ),
    Wrong(
        "what waits is lost",
        "I1",
        "grant g34: what waits in it is 0",
        edited("A", "gr", lambda rows: rows[1:]),
    ),
    Wrong(
        "what waits began unseen",
        "I1",
        "grant g34: what it holds is 8, and its rows explain 0",
        edited("A", "gr", lambda rows: [rows[0][:7], *rows[1:]]),
    ),
    Wrong(
        "less begins than waited",
        "I1",
        "1 wait in g7, and it says 0",
        row("E#t#start:g7", delta=2 * ONE, charged=2 * ONE),
    ),
    Wrong(
        "a grant of another kind",
        "I1",
        "grant g13: it is promo",
        edited("A", "gr", in_row(4, 1, "promo")),
    ),
    Wrong(
        "another priority", "I1", "grant g13: it is pack 49", edited("A", "gr", in_row(4, 2, 49))
    ),
    Wrong(
        "a grant that lasts longer",
        "I1",
        "grant g34: it is promo 10",
        edited("A", "gr", in_row(0, 6, 1_900_046_800_000)),
    ),
    Wrong(
        "a plan's priority", "I1", "grant g31: it is plan 21", edited("A", "gr", in_row(1, 2, 21))
    ),
]

PERIODS = [
    Wrong(
        "a reset of a period that was skipped",
        "I11",
        "the period before it ended at 2026-12-31",
        renamed(ROLLED, "E#t#reset:3:2027-01-31T23:00:00.000000Z"),
    ),
    Wrong(
        "a period ends elsewhere",
        "I11",
        "the period before it ended at 2026-12-30",
        row(THIRD, dt={"plan": "keep", "period_end": "2026-12-30T23:00:00+00:00"}),
    ),
    Wrong(
        "a generation that nobody began",
        "I11",
        "a period begins at 2026-12-31",
        together(renamed(ROLLED, "E#t#reset:6:2026-12-31T23:00:00.000000Z")),
    ),
    Wrong(
        "a generation goes back",
        "I11",
        "a period begins at 2026-12-08",
        renamed(THIRD, "E#t#reset:2:2026-12-08T12:00:00.001000Z"),
    ),
    Wrong(
        "a zone nobody asked for",
        "I11",
        "a period begins at 2026-11-30",
        row("E#c#berlin", dt={"name": "Ada"}),
    ),
    Wrong(
        "the first is not the first",
        "I11",
        "does not begin with it",
        renamed(FIRST, FIRST.replace("reset:1", "reset:0")),
    ),
    Wrong("another plan", "I11", "the account is on deep", row("A", pl="deep")),
    Wrong(
        "another start",
        "I11",
        "the account is on free since 2027-01-07 13:00:01",
        row("A", ps=1_799_326_801_000),
    ),
    Wrong(
        "another end",
        "I11",
        "the account's period ends at 2027-02-28",
        row("A", pe=1_803_855_600_000),
    ),
    Wrong("another generation", "I11", "the account's period ends at 2027-01-31", row("A", pg=6)),
    Wrong(
        "a reset is overdue",
        "I11",
        "the reset at 2027-01-31T23:00:00+00:00 has not happened",
        row("A", ro=1_801_436_400_001),
    ),
    Wrong(
        "an end is overdue",
        "I11",
        "the end of g33 at",
        together(
            edited(
                "A",
                "gr",
                lambda rows: [
                    *rows,
                    ["g33", "promo", 10, ONE, 0, 1_799_326_800_000, 1_799_326_800_000],
                ],
            ),
            row("A", ro=1_799_326_800_001),
        ),
    ),
    Wrong("a start is overdue", "I11", "the start of g34 at", row("A", ro=1_800_046_800_001)),
    Wrong(
        "no period at all",
        "I11",
        "no period of it has begun",
        together(*(without(key) for key in (FIRST, SECOND, THIRD, ROLLED, LAST))),
    ),
    Wrong("a reset of no moment", "I21", "ValueError", renamed(FIRST, "E#t#reset:1:yesterday")),
]

RUNS = [
    Wrong(
        "a day is lost",
        "I15",
        "day 2026-11-20: it is not stored; failed of call differ by 1",
        without(DAY),
    ),
    Wrong(
        "a day counts a call more",
        "I15",
        "day 2026-11-21: calls of minute differ by -1",
        edited("D#2026-11-21", "totals", in_row(0, 3, 2)),
    ),
    Wrong(
        "a day counts a failure less",
        "I15",
        "failed of call differ by 1",
        edited(DAY, "totals", in_row(0, 4, 0)),
    ),
    Wrong(
        "a day counts other credits",
        "I15",
        "credits of chat/gpt-4 differ by 1",
        edited(DAY, "totals", in_row(1, 5, 1_199_999)),
    ),
    Wrong(
        "a day forgets a refund",
        "I15",
        "refunded of video differ by 2000000",
        edited(DAY, "totals", in_row(2, 6, 0)),
    ),
    Wrong(
        "a day counts another cost",
        "I15",
        "cost of chat/gpt-4 differ by 1",
        edited(DAY, "totals", in_row(1, 7, 599)),
    ),
    Wrong(
        "a day counts other tokens",
        "I15",
        "tokens of chat/gpt-4 differ by 1",
        edited(DAY, "totals", in_row(1, 8, 19)),
    ),
    Wrong(
        "a day of another label",
        "I15",
        "day 2026-11-20: calls of chat/gpt-4 differ by 1",
        edited(DAY, "totals", in_row(1, 2, "x")),
    ),
    Wrong(
        "a day counts a text",
        "I15",
        "day 2026-11-20: cannot be judged: TypeError",
        edited(DAY, "totals", in_row(0, 3, "x")),
    ),
    Wrong(
        "a run on another day",
        "I15",
        "day 2026-11-22: it is not stored",
        row("E#c#k4", dy="2026-11-22"),
    ),
    Wrong(
        "a day that nothing ran on",
        "I15",
        "day 2026-11-25: calls of minute",
        put("D#2026-11-25", "D#2026-11-21"),
    ),
    Wrong(
        "today counts other credits",
        "I15",
        "day 2027-01-07: credits of call differ by 1",
        edited("A", "to", in_row(0, 5, 1_999_999)),
    ),
    Wrong(
        "today is closed",
        "I15",
        "day 2027-01-07: it is closed and not over",
        put("D#2027-01-07", "D#2026-11-21"),
    ),
    Wrong("granted in all", "I15", "granted is 171", edited("A", "li", with_at(0, 171 * ONE))),
    Wrong("purchased in all", "I15", "purchased is 99", edited("A", "li", with_at(1, 99 * ONE))),
    Wrong("spent in all", "I15", "spent is 0", edited("A", "li", with_at(2, 0))),
    Wrong("refunded in all", "I15", "refunded is 0", edited("A", "li", with_at(3, 0))),
    Wrong("expired in all", "I15", "expired is 0", edited("A", "li", with_at(4, 0))),
    Wrong("adjusted down in all", "I15", "adjusted_down is 0", edited("A", "li", with_at(5, 0))),
    Wrong(
        "the counters do not balance",
        "I15",
        "against what is gone, remaining and held, is 171",
        edited("A", "li", with_at(0, 171 * ONE)),
    ),
    Wrong(
        "spent today",
        "I15",
        "spent this day is 1, and its rows explain 9",
        edited("A", "wi", with_at(0, ONE)),
    ),
    Wrong(
        "spent this month",
        "I15",
        "spent this month is 1, and its rows explain 9",
        edited("A", "wi", with_at(1, ONE)),
    ),
    Wrong(
        "spent this period",
        "I15",
        "spent this period is 1, and its rows explain 8",
        edited("A", "wi", with_at(2, ONE)),
    ),
    Wrong(
        "a feature counts more",
        "I15",
        "feature call: 2 are counted, and its rows are 1",
        row("A", fe={"call": 2}),
    ),
    Wrong(
        "a feature counts less",
        "I15",
        "feature call: 0 are counted, and its rows are 1",
        row("A", fe={"call": 0}),
    ),
    Wrong(
        "a feature is forgotten",
        "I15",
        "feature call: 0 are counted, and its rows are 1",
        row("A", fe=None),
    ),
    Wrong(
        "a feature nobody ran",
        "I15",
        "feature tea: 1 are counted",
        row("A", fe={"call": 1, "tea": 1}),
    ),
]

BESIDE = [
    Wrong("a void without its mark", "I14", "row c#v1: it gives back c#k1", without("B#c#k1")),
    Wrong(
        "a mark without its void",
        "I14",
        "mark c#k10: its row c#v10 gives nothing back",
        put("B#c#k10", "B#c#k1", by="c#v10"),
    ),
    Wrong("a mark that names another", "I14", "mark c#k1: its row c#r2", row("B#c#k1", by="c#r2")),
    Wrong(
        "given back twice",
        "I14",
        "seq 37: what it gives back is no charge before it",
        row("E#c#v9", rf="c#k3"),
    ),
    Wrong(
        "given back before it was charged",
        "I14",
        "seq 4: what it gives back is no charge",
        row("E#c#v1", rf="c#k3"),
    ),
    Wrong(
        "more back than was charged",
        "I14",
        "it gives back 8 of 7",
        row("E#c#r2", delta=8 * ONE, charged=8 * ONE),
    ),
    Wrong(
        "a void of a part",
        "I14",
        "it gives back 0.5 of 1",
        row("E#c#v9", delta=500_000, charged=500_000),
    ),
    Wrong("paid, and no credits", "I12", "is paid, and no row brought", without(PURCHASE_ROW)),
    Wrong(
        "credits, and not paid",
        "I12",
        "is pending, and a row brought",
        row(f"P#{PURCHASE}", status="pending"),
    ),
    Wrong(
        "another pack",
        "I12",
        "is for 500, and its row brought 100",
        row(f"P#{PURCHASE}", credits=500 * ONE),
    ),
    Wrong("a purchase is lost", "I12", "is not there, and a row brought", without(f"P#{PURCHASE}")),
    Wrong(
        "a row names another purchase",
        "I12",
        "names pur_x",
        row(PURCHASE_ROW, dt={"purchase": "pur_x"}),
    ),
    Wrong("no account", "I17", "is not there, and 38 rows are", without("A")),
    Wrong("an account without its balance", "I21", "KeyError 'gr'", row("A", gr=None)),
    Wrong("a row without its delta", "I21", "KeyError 'delta'", row("E#c#k1", delta=None)),
    Wrong("a row of a kind we do not know", "I21", "'gift'", row("E#c#k1", kind="gift")),
    Wrong("a row of another schema", "I21", "its schema is", row("E#c#k1", sv=2)),
    Wrong("an item we do not know", "I21", "KeyError 'X#'", put("X#1", "E#c#k1")),
    Wrong("a day of no date", "I21", "cannot be read", put("D#today", DAY)),
    Wrong("deep JSON", "I21", "cannot be read: RecursionError", row("E#c#k1", dr="[" * 100_000)),
]

TAKEN, GIVEN, LAST_TAKEN = "E#s#refund:r1", "E#s#refund:w1", "E#s#refund:r2"
BOUGHT = f"P#{PURCHASE}"

OWED = [
    Wrong("a clawback of nothing", "I12", "a clawback names no", row(TAKEN, dt={}), owing),
    Wrong("a reinstate of nothing", "I12", "a reinstate names no", row(GIVEN, dt={}), owing),
    Wrong(
        "a clawback that somebody asked for",
        "I17",
        "a clawback has the key c#mine",
        renamed(TAKEN, "E#c#mine"),
        owing,
    ),
    Wrong(
        "a clawback of another amount",
        "I1",
        "a clawback of 51",
        row(TAKEN, charged=51 * ONE),
        owing,
    ),
    Wrong(
        "a clawback that gives",
        "I1",
        "a clawback of 50 changed 50",
        row(TAKEN, delta=50 * ONE),
        owing,
    ),
    Wrong("a reinstate that owes", "I3", "a reinstate changes the debt", row(GIVEN, dc=ONE), owing),
    Wrong(
        "a reinstate of no grant", "I1", "a reinstate names no grant", row(GIVEN, gt=None), owing
    ),
    Wrong("an amount out of range is owed", "I19", f"{NO_NUMBER}", row(TAKEN, cc=NO_NUMBER), owing),
    Wrong(
        "a clawback of which only a part is owed",
        "I1",
        "0 are owed for money that went back, and it changes that by 47",
        row(TAKEN, cc=47 * ONE),
        owing,
    ),
    Wrong(
        "credits that come in and pay nothing of it",
        "I1",
        "48 are owed for money that went back, and it changes that by 0",
        row("E#c#one", cc=None),
        owing,
    ),
    Wrong(
        "more is owed than the debt",
        "I3",
        "10 of a debt of 9 are owed",
        row(LAST_TAKEN, cc=10 * ONE),
        owing,
    ),
    Wrong(
        "less than nothing is owed",
        "I3",
        "-1 of a debt of 0 are owed",
        row("E#c#two", cc=-9 * ONE),
        owing,
    ),
    Wrong(
        "spent on credit while money is owed",
        "I3",
        "it spends on credit while 1 are owed",
        row("E#c#two", cc=-7 * ONE),
        owing,
    ),
    Wrong(
        "the account owes something else",
        "I1",
        "what it owes for money that went back is 3, and its rows explain 4",
        row("A", cb=3 * ONE),
        owing,
    ),
    Wrong(
        "it counts something else",
        "I15",
        "clawed_back is 24",
        edited("A", "li", with_at(9, 24 * ONE)),
        owing,
    ),
    Wrong(
        "the purchase says something else",
        "I12",
        "what went with its money is 24, and its rows explain 25",
        row(BOUGHT, clawed=24 * ONE),
        owing,
    ),
    Wrong(
        "what nobody had went back all the same",
        "I12",
        "what went with its money is 24, and its rows explain 25",
        row(BOUGHT, uncollected=ONE),
        owing,
    ),
    Wrong("it is lost", "I12", "is not there, and a row took or gave", without(BOUGHT), owing),
    Wrong(
        "a release that makes somebody owe",
        "I1",
        "5 are owed for money that went back, and it changes that by 1",
        row("E#h#h1#release", cc=ONE),
        owing,
    ),
    Wrong(
        "a release that pays more than is owed",
        "I1",
        "5 are owed for money that went back, and it changes that by -6",
        row("E#h#h1#release", cc=-6 * ONE),
        owing,
    ),
    Wrong(
        "what did not end is said to have ended",
        "I12",
        "1 of it ended unused, and its grant's end says 0",
        row(BOUGHT, lapsed=ONE, clawed=26 * ONE),
        owing,
    ),
    Wrong(
        "an invoice that is paid, and no row names it",
        "I12",
        "is paid, and no row brought",
        put("P#pur_invoice", BOUGHT, kind="invoice", clawed=None),
        owing,
    ),
]


WRONGS = [*ROWS_ALONE, *IN_ORDER, *GRANTS, *PERIODS, *RUNS, *BESIDE, *OWED]
