"""Items of a table in any order, account after account: sorted on disk, so memory is bounded."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

from local.export_files import ExportError, Item

ACCOUNTS, VERSIONS = "A#", "V#"


@contextmanager
def open_sorter() -> Generator[Sorter]:
    """A sorter in a temporary file, which is gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="ledger-") as folder,
        closing(sqlite3.connect(Path(folder) / "items.db")) as database,
    ):
        yield Sorter(database)


class Sorter:
    """Everything that belongs to accounts, and how many items belong to none.

    `versions` are the price versions among those, by their digests.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self.items = 0
        self.others = 0
        self.versions: dict[str, Item] = {}
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.execute("CREATE TABLE items (pk TEXT, sk TEXT, seq INTEGER, item TEXT)")

    def add(self, items: Iterable[Item]) -> int:
        """The items are kept, as far as they are of accounts; returns how many there were."""
        before = self.items
        self._database.executemany("INSERT INTO items VALUES (?, ?, ?, ?)", self._rows(items))
        return self.items - before

    def _rows(self, items: Iterable[Item]) -> Iterator[tuple[str, str, int, str]]:
        for item in items:
            self.items += 1
            pk = str(item["pk"].get("S"))
            if pk.startswith(ACCOUNTS):
                seq = int(item.get("entry_seq", {}).get("N", 0))
                yield pk, str(item["sk"].get("S")), seq, json.dumps(item)
                continue
            self.others += 1
            if pk.startswith(VERSIONS):
                self.versions[pk.removeprefix(VERSIONS)] = item

    def by_account(self) -> Iterator[tuple[str, Iterable[Item]]]:
        """Account after account with its items, its own first. One that is twice there is one.

        Raises: ExportError where one key has two contents.
        """
        order = "SELECT pk, sk, item FROM items ORDER BY pk, sk, item"
        for pk, rows in groupby(_differing(self._database.execute(order)), key=_first):
            yield pk.removeprefix(ACCOUNTS), (json.loads(row[2]) for row in rows)

    def by_ledger(self) -> Iterator[tuple[str, Iterable[Item]]]:
        """Account after account with its marks, and then its rows by their numbers.

        Raises: ExportError where one key has two contents.
        """
        kept = "sk LIKE 'E#%' OR sk LIKE 'B#%'"
        order = f"SELECT pk, sk, item FROM items WHERE {kept} ORDER BY pk, seq, sk, item"
        for pk, rows in groupby(_differing(self._database.execute(order)), key=_first):
            yield pk.removeprefix(ACCOUNTS), (json.loads(row[2]) for row in rows)


def _differing(rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    """The rows without repeats. Raises: ExportError where one key has two contents."""
    last: Sequence[Any] = ("", "", "")
    for row in rows:
        if row[:2] == last[:2] and row != last:
            raise ExportError(f"{row[0]} {row[1]} is there twice: the files are of two moments")
        if row != last:
            yield row
        last = row


def _first(row: Sequence[Any]) -> str:
    return str(row[0])
