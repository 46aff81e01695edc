"""An export is read as DynamoDB writes it, sorted by account, and audited account by account."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from local.export_files import ExportError, find_files, read_item, read_items
from local.verify_export import main, verify_export
from tests.unit.books import Book, everything
from tests.unit.building import CATALOG

KEYED = {"pk": {"S": "K"}, "sk": {"S": "K#1"}, "hmac": {"S": "x"}}


def items_of(*accounts: str, book: Book | None = None) -> list[dict[str, Any]]:
    """The story once for each account, and an item of no account."""
    found: list[dict[str, Any]] = [KEYED]
    for account in accounts:
        for item in (book or everything()).items.values():
            found.append({**item, "pk": {"S": f"A#{account}"}})
    random.Random(7).shuffle(found)
    return found


def write_export(folder: Path, items: list[dict[str, Any]], files: int = 3) -> Path:
    """The items as an export to S3 leaves them: packed files under data/, and manifests."""
    data = folder / "AWSDynamoDB" / "0123-abcd" / "data"
    data.mkdir(parents=True)
    listed: list[str] = []
    for number in range(files):
        mine = items[number::files]
        lines = "".join(json.dumps({"Item": item}) + "\n" for item in mine)
        name = f"file{number}.json.gz"
        (data / name).write_bytes(gzip.compress(lines.encode()))
        key = f"AWSDynamoDB/0123-abcd/data/{name}"
        listed.append(json.dumps({"itemCount": len(mine), "dataFileS3Key": key}))
    (data.parent / "manifest-files.json").write_text("\n".join(listed) + "\n")
    (data.parent / "manifest-summary.json").write_text(json.dumps({"itemCount": len(items)}))
    return folder


def test_a_good_export_is_said_to_explain_every_credit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_export(tmp_path, items_of("ada", "bob", "eve"))

    assert main([str(tmp_path)]) == 0

    said = capsys.readouterr().out.splitlines()
    assert said == [
        "3 accounts with 114 entries in 145 items (1 of no account); 0 prices computed again, "
        "36 cannot be",
        "every credit is explained",
    ]


def test_what_is_wrong_is_named_by_account_and_the_exit_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = everything()
    del broken.items["E#c#k4"]
    items = items_of("ada") + items_of("bob", book=broken)
    write_export(tmp_path, items)

    assert main([str(tmp_path)]) == 1

    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("bob: ") and said[0].endswith("0.666666 credits unexplained")
    assert "  I2   seq 15: is not there" in said
    assert "2 accounts with 75 entries" in said[-2]
    assert said[-1].startswith("1 accounts are not clean: ")
    assert not any(line.startswith("ada") for line in said)


def test_rows_whose_account_item_is_gone_are_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = everything()
    del book.items["A"]
    write_export(tmp_path, items_of("ada", book=book))

    assert main([str(tmp_path)]) == 1
    assert "I17  account: is not there, and 38 rows are" in capsys.readouterr().out


def test_many_findings_of_an_account_are_cut_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = everything()
    for number in range(30):
        book.items[f"X#{number}"] = book.items["A"] | {"sk": {"S": f"X#{number}"}}
    write_export(tmp_path, items_of("ada", book=book))

    assert main([str(tmp_path)]) == 1
    assert "  and 10 more" in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("shape", ["wrapped", "bare", "plain"])
def test_json_lines_of_any_shape_are_read(tmp_path: Path, shape: str) -> None:
    file = tmp_path / "dump.jsonl"
    lines: list[Any] = []
    for item in items_of("ada"):
        plain = {n: _plain(v) for n, v in item.items()}
        lines.append({"wrapped": {"Item": item}, "bare": item, "plain": plain}[shape])
    file.write_text("\n\n".join(json.dumps(line) for line in lines))

    report = verify_export([file], CATALOG)

    assert (report.accounts, report.entries, report.broken) == (1, 38, 0)


def _plain(value: dict[str, str]) -> object:
    return int(value["N"]) if "N" in value else value["S"]


def test_an_item_that_is_twice_in_the_files_is_one(tmp_path: Path) -> None:
    write_export(tmp_path / "a", items_of("ada"))
    write_export(tmp_path / "b", items_of("ada"))

    report = verify_export([tmp_path], CATALOG)

    assert (report.accounts, report.entries, report.broken) == (1, 38, 0)


def test_files_of_two_moments_are_not_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    later = everything()
    later.change("A", v=99)
    write_export(tmp_path / "a", items_of("ada"))
    write_export(tmp_path / "b", items_of("ada", book=later))

    assert main([str(tmp_path)]) == 2
    assert "A#ada A is there twice" in capsys.readouterr().err


# What cannot be read is said, never passed over.


def test_a_data_file_that_the_manifest_lists_must_be_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_export(tmp_path, items_of("ada"))
    next(tmp_path.rglob("file1.json.gz")).unlink()

    assert main([str(tmp_path)]) == 2
    assert "file1.json.gz is not there" in capsys.readouterr().err


def test_a_data_file_must_have_all_its_items(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_export(tmp_path, items_of("ada"))
    file = next(tmp_path.rglob("file1.json.gz"))
    lines = gzip.decompress(file.read_bytes()).decode().splitlines()
    file.write_bytes(gzip.compress("\n".join(lines[:-1]).encode()))

    assert main([str(tmp_path)]) == 2
    assert f"has {len(lines) - 1} items, and the manifest says {len(lines)}" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.json.gz", gzip.compress(b'{"Item": {}}', mtime=0)[:-6]),
        ("not_packed.json.gz", b'{"Item": {}}'),
        ("no.json", b"{"),
        ("list.json", b"[]"),
        ("no_key.json", b'{"Item": {"pk": {"S": "A#x"}}}'),
        ("incremental.json", b'{"Keys": {"pk": {"S": "A#x"}}, "NewImage": {}}'),
        ("bytes.json", b"\xff\xfe\x00"),
        ("deep.json", b"[" * 200_000),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)

    assert main([str(tmp_path / name)]) == 2
    assert f"{name}:1: " in capsys.readouterr().err


def test_nothing_to_read_is_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert main([str(tmp_path / "missing.json")]) == 2
    assert main([str(tmp_path), "--catalog", str(tmp_path / "no.toml")]) == 2
    assert "there is no file of items" in capsys.readouterr().err


def test_a_manifest_that_lists_nothing_readable_is_said(tmp_path: Path) -> None:
    (tmp_path / "manifest-files.json").write_text('{"itemCount": "many"}')
    (tmp_path / "data.json").write_text(json.dumps(KEYED))

    with pytest.raises(ExportError, match="is no list of data files"):
        find_files([tmp_path])


def test_an_item_says_its_types_or_has_plain_values() -> None:
    assert read_item({"pk": "A#x", "sk": "A", "v": 5}) == {
        "pk": {"S": "A#x"},
        "sk": {"S": "A"},
        "v": {"N": "5"},
    }
    with pytest.raises(ValueError, match="is no object"):
        read_item(5)


def test_items_are_read_one_at_a_time(tmp_path: Path) -> None:
    file = tmp_path / "half.json"
    file.write_text(json.dumps(KEYED) + "\n{\n")
    items = read_items(file)

    assert next(items) == KEYED
    with pytest.raises(ExportError, match=r"half\.json:2: "):
        next(items)
