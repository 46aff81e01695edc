"""The whole table as it is, for tests that say that nothing changed."""

from __future__ import annotations

from typing import Any

import botocore.session

from tollkeeper.edge.settings import read_settings


def table_client() -> Any:
    """A client of the tests' own, beside the handlers' one."""
    return botocore.session.get_session().create_client("dynamodb")


def dump_table(client: Any = None) -> dict[tuple[str, str], dict[str, Any]]:
    """Every item by its key. A client takes long to make: who dumps often keeps one."""
    client = client or table_client()
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for page in client.get_paginator("scan").paginate(TableName=read_settings().table_name):
        found |= {(item["pk"]["S"], item["sk"]["S"]): item for item in page["Items"]}
    return found


def put_raw(item: dict[str, Any]) -> None:
    """An item that no handler would write."""
    table_client().put_item(TableName=read_settings().table_name, Item=item)
