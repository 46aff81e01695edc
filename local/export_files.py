"""A table's export as files: DynamoDB's export to S3 once it is copied here, or JSON lines.

Shape: each line is `{"Item": {...}}` in DynamoDB's JSON, the item alone, or the item with plain
texts and numbers; files end in .json, .jsonl or .gz, in any folder, in any order.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO, cast

Item = dict[str, Any]
ENDINGS = (".json", ".jsonl", ".json.gz", ".jsonl.gz")


class ExportError(Exception):
    """The export cannot be read, or a part of it is missing."""


def find_files(paths: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """The data files below the paths and the manifests that list data files.

    Raises: ExportError where there is no data file, or one that a manifest lists is not there.
    """
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        found += [file for file in inside if path == file or file.name.endswith(ENDINGS)]
    manifests = [file for file in found if file.name == "manifest-files.json"]
    data = [file for file in found if not file.name.startswith("manifest-")]
    if not data:
        raise ExportError("there is no file of items")
    names = {file.name for file in data}
    for manifest in manifests:
        for name in counts_of(manifest):
            if name not in names:
                raise ExportError(f"{manifest}: {name} is not there")
    return data, manifests


def read_whole(paths: Iterable[Path]) -> Iterator[Item]:
    """The items of all files below the paths. Raises: ExportError where a part of it is missing."""
    files, manifests = find_files(paths)
    expected = {name: count for each in manifests for name, count in counts_of(each).items()}
    for file in files:
        count = 0
        for item in read_items(file):
            count += 1
            yield item
        if expected.get(file.name, count) != count:
            listed = expected[file.name]
            raise ExportError(f"{file}: has {count} items, and the manifest says {listed}")


def counts_of(manifest: Path) -> dict[str, int]:
    """How many items each data file has, by the manifest. Raises: ExportError."""
    try:
        rows = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
        return {str(row["dataFileS3Key"]).rpartition("/")[2]: int(row["itemCount"]) for row in rows}
    except (ValueError, KeyError, TypeError) as error:
        raise ExportError(f"{manifest}: is no list of data files: {error}") from error


def read_items(file: Path) -> Iterator[Item]:
    """The items of one file, one at a time. Raises: ExportError naming file and line."""
    number = 1
    try:
        with _open(file) as lines:
            for line in lines:
                if line.strip():
                    yield read_item(json.loads(line))
                number += 1
    except (OSError, EOFError, ValueError, RecursionError) as error:
        raise ExportError(f"{file}:{number}: {error}") from error


def _open(file: Path) -> TextIO:
    if file.name.endswith(".gz"):
        return gzip.open(file, "rt", encoding="utf-8")
    return file.open(encoding="utf-8")


def read_item(line: object) -> Item:
    """The item in DynamoDB's JSON, whichever way it was written. Raises: ValueError."""
    if not isinstance(line, dict):
        raise ValueError("is no object")
    members = cast("dict[str, Any]", line)
    item: Any = members.get("Item", members)
    if not isinstance(item, dict) or not {"pk", "sk"} <= item.keys():
        raise ValueError("has no item with pk and sk; a full export as DYNAMODB_JSON is needed")
    members = cast("dict[str, Any]", item)
    return members if isinstance(members["pk"], dict) else {n: _typed(members[n]) for n in members}


def _typed(value: object) -> Item:
    return {"S": value} if isinstance(value, str) else {"N": str(value)}
