"""Every item of a table, wherever it is: on this machine, in an AWS account, or in an export."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.export_files import ExportError, Item, read_whole
from local.item_pages import ITEMS_PATH, show_item

TIMEOUT_S = 60
# Why: a scan takes what nobody else needs, so it waits where the table is busy.
PATIENCE = Config(read_timeout=30, retries={"total_max_attempts": 10, "mode": "adaptive"})


class SourceError(Exception):
    """The table cannot be read; the sentence says why."""


def read_source(*, export: list[Path], table: str, port: int) -> Iterator[Item]:
    """The items of the export, else of that table of AWS, else of the system on this machine.

    Raises: SourceError.
    """
    if export:
        return read_export(export)
    return read_table(table) if table else read_running(port)


def read_export(paths: list[Path]) -> Iterator[Item]:
    """The items of all files of an export. Raises: SourceError where it is not whole."""
    try:
        yield from read_whole(paths)
    except ExportError as error:
        raise SourceError(str(error)) from error


def read_table(table: str, *, client: Any = None) -> Iterator[Item]:
    """The items of a table, with the AWS credentials of whoever runs this. Nothing is written.

    Raises: SourceError. Cost: half a read unit per 4 KB: eventually consistent.
    """
    try:
        client = client or botocore.session.get_session().create_client("dynamodb", config=PATIENCE)
        for page in client.get_paginator("scan").paginate(TableName=table):
            yield from map(show_item, page["Items"])
    except (ClientError, BotoCoreError) as error:
        raise SourceError(f"the table {table} cannot be read: {error}") from error


def read_running(port: int) -> Iterator[Item]:
    """The items of what `make run` serves at this port. Raises: SourceError."""
    after = ""
    while True:
        query = urlencode({"after": after}) if after else ""
        url = f"http://127.0.0.1:{port}{ITEMS_PATH}?{query}"
        try:
            with urlopen(url, timeout=TIMEOUT_S) as answer:
                page: dict[str, Any] = json.loads(answer.read())
        except (URLError, OSError, ValueError) as error:
            raise SourceError(
                f"nobody answers on port {port} ({error}); start `make run`"
            ) from error
        yield from page["items"]
        if page["after"] is None:
            return
        after = page["after"]


def port_of_environment() -> int:
    """Where `make run` serves."""
    return int(os.environ.get("PORT") or 8080)
