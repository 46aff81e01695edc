"""Each checker of the audit finds what it is for: one thing is wrong, and its name is said."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from benchmarks.filling import charged_account_to_items
from tests.unit.books import PURCHASE, PURCHASE_ROW, Book, everything, indebted, owing
from tests.unit.building import ACCOUNT, CATALOG, NOON, ONE, a_run
from tests.unit.wrongs import DAY, WRONGS, Wrong, edited, in_row, row, together, without
from tollkeeper.domain.audit import Audit
from tollkeeper.domain.audit_findings import MOST_FINDINGS, Findings
from tollkeeper.domain.billing import Billing
from tollkeeper.domain.draft import ChargeReturned
from tollkeeper.domain.entries import EntryKey
from tollkeeper.domain.grants import MOST_GRANTS
from tollkeeper.domain.totals import DayClosed
from tollkeeper.edge.catalog_file import read_catalog
from tollkeeper.store.audit import audit_items, feed
from tollkeeper.store.billing import billing_to_item
from tollkeeper.store.items import account_from_item, entry_from_item
from tollkeeper.store.payments import purchase_from_item

SHIPPED = read_catalog(Path(__file__).parents[2] / "layers/catalog/catalog.toml")


def audit(book: Book) -> Findings:
    """What the audit says of everything in the book."""
    return audit_items(book.items.values(), catalog=CATALOG)


@pytest.mark.parametrize("wrong", WRONGS, ids=lambda wrong: wrong.name)
def test_what_is_wrong_is_named(wrong: Wrong) -> None:
    book = wrong.book()

    wrong.make(book)
    findings = audit(book)

    lines = [f"{each.invariant} {each.where}: {each.what}" for each in findings.found]
    assert any(line.startswith(f"{wrong.invariant} ") and wrong.says in line for line in lines), (
        "\n".join(lines)
    )
    assert not findings.is_clean
    assert findings.count >= len(findings.found)


@pytest.mark.parametrize("book", [everything(), indebted(), owing()])
def test_good_ledgers_are_clean_in_any_order(book: Book) -> None:
    items = list(book.items.values())
    assert audit_items(items, catalog=CATALOG) == audit_items(items) == audit(book)

    for turned in (items[::-1], items[7:] + items[:7], sorted(items, key=str)):
        findings = audit_items(turned, catalog=CATALOG)

        assert findings.is_clean, findings
        assert findings.entries == len([key for key in book.items if key.startswith("E#")])


def test_an_empty_partition_and_one_that_only_has_a_purchase_are_clean() -> None:
    book = everything()
    book.change(f"P#{PURCHASE}", status="expired")

    assert audit_items([]).is_clean
    assert audit_items([book.items[f"P#{PURCHASE}"]]).is_clean


# What is not explained, in credits.


@pytest.mark.parametrize(
    ("make", "unexplained"),
    [
        (edited("A", "gr", in_row(4, 4, 107 * ONE)), 7 * ONE),
        (without("E#c#k4"), 666_666),
        (together(without("E#c#k4"), without("E#c#k5")), 1_666_666),
        (together(without("E#c#up"), without("E#c#down")), 3 * ONE),
        (row("E#c#k1", after=9_100_000), 200_000),
        (
            edited("A", "gr", lambda rows: in_row(4, 4, 99 * ONE)(in_row(3, 4, 2_200_000)(rows))),
            2 * ONE,
        ),
        (edited("A", "gr", in_row(0, 4, 18 * ONE)), 10 * ONE),
        (row("A", od=5 * ONE), 5 * ONE),
        (together(row("A", od=5 * ONE), edited("A", "gr", in_row(4, 4, 105 * ONE))), 10 * ONE),
        (row("E#c#k11", after=100 * ONE), 22_400_000),
        (row("E#c#r2", delta=8 * ONE, charged=8 * ONE), 7 * ONE),
        (row("E#t#start:g7", delta=2 * ONE, charged=2 * ONE), 2 * ONE),
        (without("A"), 119_200_000),
        (without("D#2026-11-21"), 0),
    ],
)
def test_unexplained_credits_are_what_rows_do_not_say(
    make: Callable[[Book], object], unexplained: int
) -> None:
    book = everything()

    make(book)

    assert audit(book).unexplained_microcredits == unexplained


def test_a_debt_that_changes_between_rows_is_unexplained() -> None:
    book = indebted()

    book.change("E#c#one", da=2_500_000, dc=-500_000)

    assert audit(book).unexplained_microcredits == ONE


def test_a_payment_without_its_credits_is_unexplained_as_is_what_was_given_back_too_often() -> None:
    lost, often = everything(), everything()
    lost.change(f"P#{PURCHASE}", status="paid", credits=250 * ONE)
    del lost.items[PURCHASE_ROW]
    often.change("E#c#v9", rf="c#k3")

    assert audit(lost).unexplained_microcredits == 350 * ONE
    assert audit(often).unexplained_microcredits == ONE


def test_what_a_purchase_says_of_its_money_and_its_rows_do_not_is_unexplained() -> None:
    book = owing()

    book.change(f"P#{PURCHASE}", clawed=20 * ONE)

    assert audit(book).unexplained_microcredits == 5 * ONE


@pytest.mark.parametrize("kind", ["plan", "invoice"])
def test_what_a_subscription_pays_needs_no_row_of_a_purchase(kind: str) -> None:
    """Why: a plan's credits come with its invoices, and an invoice's rows name it."""
    book = owing()
    book.items["P#pur_sub"] = book.items[f"P#{PURCHASE}"] | {"sk": {"S": "P#pur_sub"}}
    book.change("P#pur_sub", kind=kind, clawed=None)
    if kind == "invoice":
        book.change("E#c#one", dt={"purchase": "pur_sub"})

    assert audit(book).is_clean


def test_how_an_account_pays_is_no_finding_where_it_can_be_read() -> None:
    book = owing()
    book.items["M"] = billing_to_item(Billing(ACCOUNT, 1, customer="cus_1"))
    assert audit(book).is_clean

    book.change("M", state=None)

    (finding,) = audit(book).found
    assert (finding.invariant, finding.what) == ("I21", "cannot be read: KeyError 'state'")


def test_an_invoice_that_brought_nothing_needs_no_row() -> None:
    book = owing()
    book.items["P#pur_sub"] = book.items[f"P#{PURCHASE}"] | {"sk": {"S": "P#pur_sub"}}

    book.change("P#pur_sub", kind="invoice", clawed=None, credits=0)

    assert audit(book).is_clean


def test_credits_that_ended_unused_before_their_money_went_back_are_explained_by_their_end() -> (
    None
):
    book = Book()
    book.charge("k1", a_run())
    book.buy()
    book.change(f"P#{PURCHASE}", grant="g1", lapsed=9 * ONE, clawed=9 * ONE)
    assert not audit(book).is_clean

    book.wait(days=30)
    book.charge("k2", a_run())

    assert audit(book).is_clean


# Whatever the ledger is like.


def test_no_item_makes_the_audit_raise() -> None:
    book = everything()
    attributes = [(key, name) for key, item in book.items.items() for name in item if name != "sk"]
    odd: list[Any] = [{}, {"S": ""}, {"S": "[]"}, {"S": "{}"}, {"S": "[[]]"}, {"N": "1e3"}, None]
    odd += [{"N": "9" * 30}, {"S": "null"}, {"BOOL": True}, {"S": "9999-12-31"}, {"L": []}]

    for number, (key, name) in enumerate(attributes):
        for value in (odd[number % len(odd)], odd[(number * 5 + 1) % len(odd)]):
            items = {**book.items, key: book.items[key] | {name: value}}

            assert audit_items(items.values(), catalog=CATALOG).entries >= 0, (key, name, value)
    for strange in ({}, {"sk": None}, {"sk": {"S": 5}}, {"sk": {"S": "E#c#x"}}):
        assert audit_items([strange]).count == 1


def test_many_findings_are_counted_and_the_first_are_kept() -> None:
    book = everything()
    for number in range(MOST_FINDINGS + 20):
        book.items[f"X#{number}"] = {"sk": {"S": f"X#{number}"}}

    findings = audit(book)

    assert (findings.count, len(findings.found)) == (MOST_FINDINGS + 20, MOST_FINDINGS)


def test_a_day_of_more_labels_than_it_holds_is_compared_as_a_whole() -> None:
    book = everything()
    for number in range(60):
        entry = book.items["E#c#f1"] | {"sk": {"S": f"E#c#w{number}"}, "label": {"S": f"l{number}"}}
        book.items[f"E#c#w{number}"] = entry | {"entry_seq": {"N": str(100 + number)}}
    rows: list[list[Any]] = [["call", "", f"l{number}", 0, 1, 0, 0, 0] for number in range(44)]
    rows += [["other", "", "", 0, 16, 0, 0, 0], *book.read(DAY, "totals")]
    book.change(DAY, totals=json.dumps(rows))
    del book.items["A"]
    days = [each for each in audit(book).found if each.where == "day 2026-11-20"]
    assert days == []

    rows[0][4] += 1
    book.change(DAY, totals=json.dumps(rows))

    days = [each for each in audit(book).found if each.where == "day 2026-11-20"]
    assert [each.what for each in days] == ["failed of all of them differ by -1"]


# What is younger than the account is not judged.


def read_younger(*, has_moved: bool) -> Findings:
    """The story's items, and an account as it was before the story's last half hour."""
    book = everything()
    old = account_from_item(book.items["A"])
    audited = Audit(old, CATALOG)
    later = datetime(2027, 1, 9, tzinfo=UTC)
    for item in book.items.values():
        if item["sk"]["S"] != "A":
            feed(audited, item)
    void = entry_from_item(book.items["E#c#v9"])
    audited.add(replace(void, seq=40, key=EntryKey("c#v10"), refers_to=EntryKey("c#k10")))
    audited.add_mark(ChargeReturned(EntryKey("c#k10"), EntryKey("c#v10")))
    audited.add_day(DayClosed(old.today, old.totals))
    bought = purchase_from_item(book.items[f"P#{PURCHASE}"])
    audited.add_purchase(replace(bought, id="pur_later", paid_at=later))
    return audited.finish(has_moved=has_moved)


def test_what_is_younger_than_the_account_is_no_finding_where_the_account_moved() -> None:
    assert read_younger(has_moved=True).is_clean


def test_what_is_younger_than_an_account_that_did_not_move_is_a_finding() -> None:
    found = {(each.invariant, each.where) for each in read_younger(has_moved=False).found}

    assert found == {
        ("I17", "account"),
        ("I15", "day 2027-01-07"),
        ("I12", "purchase pur_later"),
    }


# What a catalog changes.


def test_a_feature_that_began_to_count_within_the_period_may_count_less() -> None:
    book = everything()
    book.charge("k12", replace_version("v0"))
    book.change("A", fe={"call": 1})

    assert audit(book).is_clean


def replace_version(version: str) -> Any:
    """A call that another catalog priced, which may not have counted it."""
    priced = a_run()
    return replace(priced, run=replace(priced.run, price_version=version))


def test_a_period_of_one_catalog_is_exact_whatever_the_one_before_it_had() -> None:
    book = Book()
    book.charge("k1", replace_version("v0"))
    book.wait(days=20)
    book.charge("k2", replace_version("v1"))
    assert audit(book).is_clean

    book.change("A", fe={"call": 0})

    assert [each.where for each in audit(book).found] == ["feature call"]


def test_a_refund_leaves_the_features_count_as_it_is() -> None:
    book = everything()
    book.give_back("k10", "r10", 500_000)

    assert book.read("A", "fe") == {"call": 1}
    assert audit(book).is_clean


def test_a_debt_that_another_catalog_allowed_is_no_finding() -> None:
    other = replace(CATALOG, version="v2", plans={**CATALOG.plans, "deep": CATALOG.plan("free")})

    assert audit_items(indebted().items.values(), catalog=other).is_clean
    other = replace(other, version="v1")
    assert not audit_items(indebted().items.values(), catalog=other).is_clean


def test_a_plan_change_of_any_kind_is_explained() -> None:
    for plans in permutations(("free", "keep", "month")):
        book = Book()
        for number, plan in enumerate(plans):
            book.plan(f"p{number}", plan, at_end=number == 1)
            book.charge(f"k{number}", replace_version("v1"))
            book.wait(days=40)
            book.move(f"z{number}", ["Asia/Tokyo", "America/Los_Angeles", "UTC"][number])
            book.wait(days=1)
            book.charge(f"l{number}", replace_version("v1"))

        findings = audit(book)

        assert findings.is_clean, (plans, findings)


def test_credits_that_join_a_grant_at_the_bound_are_explained() -> None:
    book = Book()
    book.grant("short", 4, hours=2)
    book.charge("k1", a_run("sms", quantity=3 * ONE))
    book.adjust("up", 1)
    book.buy("one")
    book.wait(hours=3)
    for number in range(MOST_GRANTS - 3):
        book.grant(f"fill{number}", 1)
    book.give_back("k1", "v1")
    book.buy("two")
    account = book.account
    assert account is not None and len(account.grants) == MOST_GRANTS
    assert audit(book).is_clean, audit(book)

    book.charge("k2", a_run("sms", quantity=200 * ONE))

    assert audit(book).is_clean, audit(book)


# What it takes.


def test_an_audit_keeps_a_few_numbers_of_each_row() -> None:
    items = list(charged_account_to_items("grown", 6_000, now=NOON, catalog=SHIPPED))
    tracemalloc.start()

    findings = audit_items((item for item in items), catalog=SHIPPED)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert findings.is_clean
    assert peak / findings.entries < 250, peak


def test_one_seq_out_of_range_takes_no_memory() -> None:
    book = everything()
    book.change("A", q=10**11)
    book.change("E#c#k11", entry_seq=10**11)
    tracemalloc.start()

    findings = audit(book)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "seq 38 to 99999999999" in [each.where for each in findings.found]
    assert peak < 2_000_000


def read_while_money_moved(*, is_row_read: bool, has_moved: bool) -> Findings:
    """The account as it was before money went back, and its purchase as it was after."""
    book = owing()
    audited = Audit(book.account, CATALOG)
    book.money_back("r9", 1)
    del book.items["A"]
    if not is_row_read:
        del book.items["E#s#refund:r9"]
    for item in book.items.values():
        feed(audited, item)
    return audited.finish(has_moved=has_moved)


@pytest.mark.parametrize("is_row_read", [True, False])
def test_money_that_moved_while_its_purchase_was_read_is_no_finding(is_row_read: bool) -> None:
    assert read_while_money_moved(is_row_read=is_row_read, has_moved=True).is_clean


def test_money_of_a_row_that_the_account_does_not_count_is_judged_with_that_row() -> None:
    """Why: one wrong thing is one finding."""
    (finding,) = read_while_money_moved(is_row_read=True, has_moved=False).found

    assert (finding.invariant, finding.where) == ("I17", "account")


def test_an_invoice_whose_row_the_account_does_not_count_yet_is_not_lost() -> None:
    book = owing()
    audited = Audit(book.account, CATALOG)
    book.items["P#pur_sub"] = book.items[f"P#{PURCHASE}"] | {"sk": {"S": "P#pur_sub"}}
    book.change("P#pur_sub", kind="invoice", clawed=None)
    book.grant("three", 3)
    book.items["E#s#line:in_1.il_1"] = book.items.pop("E#c#three") | {
        "sk": {"S": "E#s#line:in_1.il_1"}
    }
    del book.items["A"]
    for item in book.items.values():
        feed(audited, item)

    assert [each.invariant for each in audited.finish().found] == ["I17"]
