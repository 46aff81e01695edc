"""Every item of a table, from this machine, from AWS and from an export."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import table_items
from local.item_pages import CursorError, read_page
from local.sorted_items import open_sorter
from local.table_items import SourceError, read_export, read_source, read_table

TABLE = [{"pk": {"S": f"A#{n}"}, "sk": {"S": "E#c#é~"}, "b": {"B": b"\x00\xff"}} for n in range(5)]


def scan(**request: Any) -> dict[str, Any]:
    """Two items a page."""
    start = request.get("ExclusiveStartKey")
    first = 0 if start is None else [i["pk"] for i in TABLE].index(start["pk"]) + 1
    page = TABLE[first : first + 2]
    last = {} if first + 2 >= len(TABLE) else {"LastEvaluatedKey": page[-1]}
    return {"Items": page, **last}


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    """The local runtime's table has a name."""
    monkeypatch.setenv("TABLE_NAME", "t")


def test_pages_lead_through_the_whole_table() -> None:
    found: list[Any] = []
    after: str | None = None
    while True:
        page = json.loads(json.dumps(read_page(after, scan=scan)))
        found += page["items"]
        after = page["after"]
        if after is None:
            break

    assert [item["pk"]["S"] for item in found] == [item["pk"]["S"] for item in TABLE]
    assert found[0]["b"] == {"B": "AP8="}


@pytest.mark.parametrize("cursor", ["x", "W10=", "WzEsMl0=", "é"])
def test_a_cursor_that_no_page_gave_out_is_refused(cursor: str) -> None:
    with pytest.raises(CursorError):
        read_page(cursor, scan=scan)


class Paginating:
    """A client of AWS."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def get_paginator(self, operation: str) -> Paginating:
        assert operation == "scan"
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        assert request == {"TableName": "prod"}
        if self.error is not None:
            raise self.error
        yield {"Items": TABLE[:3]}
        yield {"Items": TABLE[3:]}


def test_a_table_of_aws_is_read_page_by_page() -> None:
    assert [item["b"] for item in read_table("prod", client=Paginating())] == [{"B": "AP8="}] * 5


def test_a_table_that_may_not_be_read_is_said() -> None:
    response: Any = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}

    with pytest.raises(SourceError, match="the table prod cannot be read"):
        list(read_table("prod", client=Paginating(ClientError(response, "Scan"))))


def test_an_export_that_is_not_whole_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"Item": {"pk": {"S": "A#1"}, "sk": {"S": "A"}}}')
    row = {"dataFileS3Key": "x/a.json", "itemCount": 2}
    (tmp_path / "manifest-files.json").write_text(json.dumps(row))

    with pytest.raises(SourceError, match="the manifest says 2"):
        list(read_export([tmp_path]))
    with pytest.raises(SourceError, match="no file of items"):
        list(read_export([tmp_path / "manifest-files.json"]))


def test_the_source_is_the_one_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def stand_in(name: str) -> Callable[[object], Iterator[str]]:
        def read(_: object) -> Iterator[str]:
            return iter([name])

        return read

    for name in ("read_export", "read_table", "read_running"):
        monkeypatch.setattr(table_items, name, stand_in(name))

    chosen = [
        list(read_source(export=export, table=table_, port=1))
        for export, table_ in (([Path("x")], "t"), ([], "t"), ([], ""))
    ]

    assert chosen == [["read_export"], ["read_table"], ["read_running"]]


def test_rows_come_by_their_numbers_and_marks_before_them() -> None:
    def item(sk: str, seq: int | None = None) -> dict[str, Any]:
        key = {"pk": {"S": "A#1"}, "sk": {"S": sk}}
        return key if seq is None else {**key, "entry_seq": {"N": str(seq)}}

    items = [item("E#c#a", 12), item("E#c#b", 2), item("A"), item("B#c#a"), item("E#c#c", 1)]
    version = {"pk": {"S": "V#abc"}, "sk": {"S": "V"}}

    with open_sorter() as sorter:
        assert sorter.add([*items, version]) == 6
        ((account, rows),) = [(name, list(found)) for name, found in sorter.by_ledger()]

    assert account == "1"
    assert [row["sk"]["S"] for row in rows] == ["B#c#a", "E#c#c", "E#c#b", "E#c#a"]
    assert (sorter.others, sorter.versions) == (1, {"abc": version})
