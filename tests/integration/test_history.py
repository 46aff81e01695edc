"""History as pages and as CSV: everything, once, newest first."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

import pytest

from tests.support.driving import Answered, Driver, FakeClock, FakeContext, load, read_answer
from tollkeeper.domain.entries import AccountId, Entry, EntryKey, EntryKind, Run
from tollkeeper.edge import wiring
from tollkeeper.edge.csv_export import LARGEST_PAGE_BYTES, make_safe, write_csv
from tollkeeper.edge.members import MOST_CSV_ROWS
from tollkeeper.store.ledger import Ledger, Page

D = Decimal
ROUTE = "GET /v1/accounts/{id}/entries"
CSV = {"accept": "text/csv"}


def read(driver: Driver, account: str = "user_1", *, accept: str = "", **query: str) -> Answered:
    """One page."""
    headers = {"accept": accept} if accept else None
    return driver.call(ROUTE, path={"id": account}, query=query, headers=headers)


def rows_of(text: str) -> list[dict[str, str]]:
    """The rows of a CSV page, as a spreadsheet reads them."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


def charge_many(driver: Driver, count: int) -> None:
    """So many charges, on an account that can pay for them."""
    driver.grant("user_1", count, "g")
    for number in range(count):
        assert driver.deduct("user_1", "sms", f"k{number}").status == 200


# ---- Pages


def test_s3_11_pages_show_every_row_once_and_the_newest_first(driver: Driver) -> None:
    charge_many(driver, 118)
    seen: list[int] = []
    sizes: list[int] = []
    cursor: str | None = None

    while True:
        page = read(driver, **({"cursor": cursor} if cursor else {}))
        seen += [row["seq"] for row in page["entries"]]
        sizes.append(len(page["entries"]))
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert seen == list(range(120, 0, -1))
    assert sizes[:2] == [50, 50]


def test_rows_that_come_in_while_somebody_pages_move_no_row(driver: Driver) -> None:
    charge_many(driver, 8)
    first = read(driver, limit="4")
    driver.deduct("user_1", "sms", "later")

    second = read(driver, limit="4", cursor=first["next_cursor"])

    assert [row["seq"] for row in first["entries"]] == [10, 9, 8, 7]
    assert [row["seq"] for row in second["entries"]] == [6, 5, 4, 3]


@pytest.mark.parametrize("limit", ["1", "2", "3", "5", "200"])
def test_any_limit_leads_through_all_rows(driver: Driver, limit: str) -> None:
    charge_many(driver, 3)
    seen: list[int] = []
    cursor: str | None = None

    for _ in range(9):
        page = read(driver, limit=limit, **({"cursor": cursor} if cursor else {}))
        assert len(page["entries"]) <= int(limit)
        seen += [row["seq"] for row in page["entries"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert seen == [5, 4, 3, 2, 1]


def test_a_row_lists_what_happened(driver: Driver) -> None:
    driver.deduct("user_1", "ai_tokens", "k1", model="gpt-4", usage={"total": 25}, feature="chat")

    charge, opening = read(driver)["entries"]

    assert charge == {
        "seq": 2,
        "key": "k1",
        "kind": "charge",
        "delta": D("-1.5"),
        "available_after": D("13.5"),
        "at": "2026-11-20T12:00:00+00:00",
        "operation": "ai_tokens",
        "model": "gpt-4",
        "feature": "chat",
        "charged": D("1.5"),
    }
    assert (opening["kind"], opening["delta"], opening["operation"]) == ("reset", 15, None)
    assert opening["key"].startswith("t~reset:1:")


def test_a_cursor_below_the_first_row_finds_nothing(driver: Driver) -> None:
    charge_many(driver, 1)

    for cursor in ("0", "1", "000000000000001"):
        page = read(driver, cursor=cursor)
        assert (page["entries"], page["next_cursor"]) == ([], None)


def test_an_account_that_nobody_touched_has_no_rows(driver: Driver) -> None:
    page = read(driver, "nobody")

    assert (page.status, page["entries"], page["next_cursor"]) == (200, [], None)


# ---- CSV


def test_s3_17_history_is_exported_as_csv_with_all_rows(driver: Driver, clock: FakeClock) -> None:
    charge_many(driver, 3)
    clock.forward(days=1)
    driver.void("user_1", "k0", "v1")

    answer = read(driver, accept="text/csv")

    assert answer.status == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="entries.csv"'
    assert answer.headers["cache-control"] == "no-store"
    assert "link" not in answer.headers
    rows = rows_of(answer.text)
    assert [int(row["seq"]) for row in rows] == [6, 5, 4, 3, 2, 1]
    assert rows[0] == {
        "seq": "6",
        "at": "2026-11-21T12:00:00+00:00",
        "kind": "void",
        "delta": "1",
        "available_after": "16",
        "charged": "",
        "operation": "sms",
        "model": "",
        "feature": "",
        "key": "v1",
    }
    assert (rows[1]["charged"], rows[1]["delta"]) == ("1", "-1")
    assert sum(D(row["delta"]) for row in rows) == 16


def test_csv_pages_lead_on_by_link(driver: Driver) -> None:
    charge_many(driver, 5)
    seen: list[int] = []
    query = {"limit": "3"}

    while True:
        answer = read(driver, accept="TEXT/CSV, */*", **query)
        seen += [int(row["seq"]) for row in rows_of(answer.text)]
        link = answer.headers.get("link")
        if link is None:
            break
        found = re.fullmatch(
            r'</v1/accounts/user_1/entries\?cursor=(\d+)&limit=(\d+)>; rel="next"', link
        )
        assert found, link
        query = {"cursor": found[1], "limit": found[2]}

    assert seen == [7, 6, 5, 4, 3, 2, 1]


def test_a_link_is_a_valid_address_whatever_the_id(driver: Driver) -> None:
    for number in range(3):
        driver.deduct("auth0|a:b@c", "sms", f"k{number}")

    answer = read(driver, "auth0|a:b@c", accept="text/csv", limit="2")

    assert answer.headers["link"].startswith("</v1/accounts/auth0%7Ca%3Ab%40c/entries?cursor=")


def test_csv_is_quoted_so_that_every_reader_finds_the_same_cells(driver: Driver) -> None:
    label = 'a "quoted", label;with é and 漢字'
    driver.deduct("user_1", "sms", "k1", feature=label)

    answer = read(driver, accept="text/csv")

    assert rows_of(answer.text)[0]["feature"] == label
    assert answer.text.count("\r\n") == 3


@pytest.mark.parametrize(
    "label",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        '=HYPERLINK("http://x")',
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "=\u00a0",
    ],
)
def test_no_cell_is_a_formula(driver: Driver, label: str) -> None:
    driver.deduct("user_1", "sms", "-k", feature=label)

    row = rows_of(read(driver, accept="text/csv").text)[0]

    assert row["feature"] == "'" + label
    assert row["key"] == "'-k"
    assert row["delta"] == "-1", "our own numbers stay numbers"


@pytest.mark.parametrize("text", ["\t=1", "\r=1", "\n=1"])
def test_what_a_spreadsheet_skips_hides_no_formula(text: str) -> None:
    assert make_safe(text) == "'" + text


@pytest.mark.parametrize("text", ["", "sms", "a=b", "1", "k-1", "gpt-4"])
def test_other_cells_are_left_as_they_are(text: str) -> None:
    assert make_safe(text) == text


def make_entry(seq: int, label: str = "") -> Entry:
    """A charge as a list shows it."""
    return Entry(
        account=AccountId("user_1"),
        key=EntryKey(f"c#{'k' * 120}{seq}"),
        seq=seq,
        kind=EntryKind.CHARGE,
        at=datetime(2026, 11, 20, tzinfo=UTC),
        delta_microcredits=-1,
        available_after_microcredits=seq,
        moved_microcredits=1,
        run=Run("o" * 64, model="m" * 128, label=label),
    )


@dataclass
class ManyRows:
    """A ledger with so many rows in one account, read a page of at most 1,000 at a time."""

    count: int
    label: str = ""
    reads: int = 0

    def read_history(self, _: AccountId, *, below_seq: int | None, limit: int) -> Page:
        """Rows below that seq."""
        self.reads += 1
        newest = min(self.count, (below_seq or self.count + 1) - 1)
        last = max(0, newest - min(limit, 1000))
        rows = tuple(make_entry(seq, self.label) for seq in range(newest, last, -1))
        return Page(rows, rows[-1].seq if last else None)


def export(driver: Driver, ledger: ManyRows, **query: str) -> Answered:
    """A CSV page of that ledger."""
    event = driver.event(ROUTE, path={"id": "user_1"}, query=query, headers=CSV)
    return read_answer(load("account").handler(event, FakeContext()))


def put_ledger(monkeypatch: pytest.MonkeyPatch, ledger: ManyRows) -> None:
    """From now on the account function reads from that ledger."""
    monkeypatch.setattr(wiring, "ledger", lambda: cast(Ledger, ledger))


def test_a_csv_page_has_at_most_five_thousand_rows(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = ManyRows(5003)
    put_ledger(monkeypatch, ledger)

    first = export(driver, ledger)
    second = export(driver, ledger, cursor="4", limit="5000")

    assert [int(rows_of(first.text)[at]["seq"]) for at in (0, -1)] == [5003, 4]
    assert 'cursor=4&limit=5000>; rel="next"' in first.headers["link"]
    assert [int(row["seq"]) for row in rows_of(second.text)] == [3, 2, 1]
    assert "link" not in second.headers
    assert MOST_CSV_ROWS == 5000


def test_a_csv_page_that_takes_several_reads_has_as_many_rows_as_asked_for(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = ManyRows(2500)
    put_ledger(monkeypatch, ledger)

    rows = rows_of(export(driver, ledger, limit="1500").text)

    assert [int(row["seq"]) for row in rows] == list(range(2500, 1000, -1))
    assert ledger.reads == 2


def test_a_csv_page_has_at_most_four_megabytes_however_wide_its_signs_are(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = ManyRows(5000, label="🎈" * 129)
    put_ledger(monkeypatch, ledger)

    first = export(driver, ledger)

    assert len(first.text.encode()) <= LARGEST_PAGE_BYTES + 200
    last = int(rows_of(first.text)[-1]["seq"])
    assert f"cursor={last}&" in first.headers["link"]
    rest = export(driver, ledger, cursor=str(last))
    assert [int(rows_of(rest.text)[at]["seq"]) for at in (0, -1)] == [last - 1, 1]


def test_a_page_without_rows_is_its_header() -> None:
    text, written = write_csv(())

    assert written == 0
    assert text.startswith("seq,at,kind,delta,available_after,charged,operation,model,feature,key")


def test_what_history_shows_is_what_the_ledger_has(driver: Driver, clock: FakeClock) -> None:
    """Rows of every kind, as JSON and as CSV: the same rows, amounts and order."""
    everything: list[dict[str, Any]] = []
    driver.grant("user_1", 5, "g1", expires_at="2026-11-21T00:00:00Z")
    driver.deduct("user_1", "sms", "k1", success=False)
    driver.deduct("user_1", "sms", "k2")
    clock.forward(days=20)
    driver.deduct("user_1", "sms", "k3")

    everything = read(driver)["entries"]
    exported = rows_of(read(driver, accept="text/csv").text)

    assert {row["kind"] for row in everything} == {
        "reset",
        "grant",
        "run_failed",
        "charge",
        "expire",
    }
    for shown, row in zip(everything, exported, strict=True):
        assert (str(shown["seq"]), shown["kind"], shown["at"]) == (
            row["seq"],
            row["kind"],
            row["at"],
        )
        assert (D(shown["delta"]), D(shown["available_after"])) == (
            D(row["delta"]),
            D(row["available_after"]),
        )
