"""The journal: whole or not at all, for threads, processes and crashes."""

from __future__ import annotations

import signal
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tollkeeper_client import (
    FailOpen,
    InvalidArgumentError,
    JournalError,
    NoAnswerError,
    Tollkeeper,
)
from tollkeeper_client.journal import Bounds, Journal, Wish, wish_name
from tollkeeper_client.sending import Request

SERVER = "https://api.example.com"
BOUNDS = Bounds(runs=3, credits=Decimal(10))


def wish(number: int, *, credits: str | None = None, server: str = SERVER) -> Wish:
    request = Request("POST", f"/v1/holds/h{number}/settle", '{"a":1}', None)
    return Wish(
        name=wish_name(server, request),
        server=server,
        request=request,
        credits=None if credits is None else Decimal(credits),
    )


@pytest.fixture(params=["disk", "memory"])
def any_journal(request: pytest.FixtureRequest, journal: Path) -> Journal:
    opened = Journal(journal if request.param == "disk" else None)
    request.addfinalizer(opened.close)
    return opened


def test_what_is_written_waits_until_it_is_removed(any_journal: Journal) -> None:
    any_journal.write([wish(1), wish(2)])

    assert [each.request for each in any_journal.waiting(SERVER)] == [
        wish(1).request,
        wish(2).request,
    ]
    any_journal.remove(wish(1).name)
    assert [each.name for each in any_journal.waiting(SERVER)] == [wish(2).name]


def test_the_same_wish_stands_once(any_journal: Journal) -> None:
    any_journal.write([wish(1)])
    any_journal.write([wish(1)])

    assert len(any_journal.waiting(SERVER)) == 1


def test_another_servers_wishes_are_left_alone(any_journal: Journal) -> None:
    any_journal.write([wish(1), wish(1, server="https://b.example.com")])

    assert len(any_journal.waiting(SERVER)) == 1


def test_what_was_refused_is_kept_with_its_reason_until_it_is_wanted_again(
    any_journal: Journal,
) -> None:
    any_journal.write([wish(1)])
    any_journal.refuse(wish(1).name, "unknown_model")

    assert any_journal.waiting(SERVER) == []
    assert [each.reason for each in any_journal.refused(SERVER)] == ["unknown_model"]
    any_journal.retry_refused(SERVER)
    assert len(any_journal.waiting(SERVER)) == 1


def reserve(journal: Journal, number: int, credits: str, *, now_s: float = 0.0) -> bool:
    reserved = replace(wish(number, credits=credits), ends_at_s=now_s + 900)
    return journal.reserve(reserved, bounds=BOUNDS, now_s=now_s)


def test_reservations_keep_their_bounds(any_journal: Journal) -> None:
    assert [reserve(any_journal, n, "4") for n in (1, 2, 3)] == [True, True, False]
    assert reserve(any_journal, 4, "2")
    assert not reserve(any_journal, 5, "0.000001")
    assert any_journal.waiting(SERVER) == []


def test_a_charge_that_waits_counts_as_its_reservation_did(any_journal: Journal) -> None:
    reserve(any_journal, 1, "10")
    any_journal.write([wish(7, credits="10")], instead_of=wish(1).name)

    assert not reserve(any_journal, 2, "1")
    any_journal.remove(wish(7).name)
    assert reserve(any_journal, 2, "1")


def test_a_reservation_whose_process_died_ends_by_itself(any_journal: Journal) -> None:
    reserve(any_journal, 1, "10")

    assert not reserve(any_journal, 2, "10", now_s=899)
    assert reserve(any_journal, 2, "10", now_s=900)


def test_what_is_of_no_use_any_more_is_dropped(any_journal: Journal) -> None:
    any_journal.write([replace(wish(1), ends_at_s=900.0), wish(2)])

    any_journal.drop_ended(899)
    assert len(any_journal.waiting(SERVER)) == 2
    any_journal.drop_ended(900)
    assert [each.name for each in any_journal.waiting(SERVER)] == [wish(2).name]


def test_of_many_at_once_no_more_reserve_than_the_bound(journal: Path) -> None:
    def reserve_some(first: int) -> list[bool]:
        with closing(Journal(journal)) as own:
            return [reserve(own, number, "1") for number in range(first, first + 20)]

    with ThreadPoolExecutor(4) as threads:
        won = [each for some in threads.map(reserve_some, (0, 100, 200, 300)) for each in some]

    assert won.count(True) == BOUNDS.runs


WRITER = """
import sys
from tests.clients.test_journal import wish
from tollkeeper_client.journal import Journal
journal = Journal(sys.argv[1])
for number in range(int(sys.argv[2]), 100_000):
    journal.write([wish(number)])
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


def test_processes_share_it_and_one_that_is_killed_loses_nothing_it_was_told(
    journal: Path,
) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(journal), str(start)], stdout=subprocess.PIPE
        )
        for start in (0, 50_000)
    ]
    written: list[int] = []
    for writer in writers:
        assert writer.stdout is not None
        written += [int(writer.stdout.readline()) for _ in range(8)]
    for writer in writers:
        writer.send_signal(signal.SIGKILL)
        assert writer.stdout is not None
        written += [int(line) for line in writer.stdout.read().split()]
        writer.stdout.close()
        writer.wait()

    with closing(Journal(journal)) as opened:
        kept = {each.name for each in opened.waiting(SERVER)}
    assert {wish(number).name for number in written} <= kept


def test_only_its_owner_reads_it(journal: Path) -> None:
    with closing(Journal(journal)) as opened:
        opened.write([wish(1)])

        assert {stat.S_IMODE(each.stat().st_mode) for each in journal.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600


def test_it_never_holds_the_service_key(journal: Path) -> None:
    client = Tollkeeper("http://127.0.0.1:9", "tk_dev_secret", journal=journal, deadline_s=0.01)
    with client, pytest.raises(NoAnswerError):
        client.settle("h1", "user_1", amount=1)

    with closing(Journal(journal)) as opened:
        assert len(opened.waiting("http://127.0.0.1:9")) == 1
    assert b"tk_dev" not in journal.read_bytes()


def test_a_place_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(JournalError):
        Journal(tmp_path / "file" / "journal")


def test_what_is_no_journal_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes, more than a hundred bytes of them. " * 10)

    with pytest.raises(JournalError):
        Journal(path)
    assert path.read_text().startswith("my notes")


def test_a_closed_client_does_not_pretend_to_keep_anything() -> None:
    opened = Journal(None)
    opened.close()

    with pytest.raises(JournalError):
        opened.write([wish(1)])


def test_going_ahead_needs_a_journal_on_disk() -> None:
    bounds = FailOpen(runs=1, credits=Decimal(1), credits_per_run=Decimal(1))

    with pytest.raises(InvalidArgumentError):
        Tollkeeper("http://127.0.0.1:9", "k", fail_open=bounds)


def test_a_full_disk_is_an_error_of_ours(journal: Path) -> None:
    with closing(Journal(journal)) as opened:
        opened.write([wish(1)])
    with closing(sqlite3.connect(journal)) as database:
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON wishes BEGIN "
            "SELECT RAISE(ABORT, 'database or disk is full'); END"
        )

    with closing(Journal(journal)) as opened:
        with pytest.raises(JournalError, match="disk is full"):
            opened.write([wish(2)])
        assert len(opened.waiting(SERVER)) == 1


FORKING = """
import os, sys
from tests.clients.test_journal import SERVER, wish
from tollkeeper_client.journal import Journal
journal = Journal(sys.argv[1])
journal.write([wish(1)])
if os.fork() == 0:
    journal.write([wish(2)])
    os._exit(0)
os.wait()
assert len(journal.waiting(SERVER)) == 2
"""


def test_a_forked_process_uses_it_too(journal: Path) -> None:
    subprocess.run([sys.executable, "-c", FORKING, str(journal)], check=True)
