"""The items of the local table, page by page: for commands that read a whole ledger.

Shape: `GET /_local/items?after=<cursor>` answers `{"items": [...], "after": <cursor or null>}`,
each item in DynamoDB's JSON.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, cast

import botocore.session

ITEMS_PATH = "/_local/items"
ITEMS_PER_PAGE = 1000

Item = dict[str, Any]


class CursorError(ValueError):
    """The cursor is none that a page gave out."""


@lru_cache(maxsize=1)
def _client() -> Any:
    return botocore.session.get_session().create_client("dynamodb")


def read_page(after: str | None, *, scan: Callable[..., Any] | None = None) -> dict[str, Any]:
    """One page of the table and the cursor of the next one. Raises: CursorError.

    Cost: one Scan of the engine on this machine; the stack's functions never scan.
    """
    request: dict[str, Any] = {"TableName": os.environ["TABLE_NAME"], "Limit": ITEMS_PER_PAGE}
    if after:
        request["ExclusiveStartKey"] = _read_cursor(after)
    answer: Mapping[str, Any] = (scan or _client().scan)(**request)
    last = answer.get("LastEvaluatedKey")
    items = [show_item(item) for item in answer["Items"]]
    return {"items": items, "after": None if last is None else _show_cursor(last)}


def show_item(item: Mapping[str, Mapping[str, Any]]) -> Item:
    """The item as an export to S3 writes it: bytes as base64."""
    return {name: _show_value(value) for name, value in item.items()}


def _show_value(value: Mapping[str, Any]) -> dict[str, Any]:
    ((kind, inner),) = value.items()
    return {kind: base64.b64encode(inner).decode() if kind == "B" else inner}


def _show_cursor(key: Mapping[str, Any]) -> str:
    text = json.dumps([key["pk"]["S"], key["sk"]["S"]])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _read_cursor(cursor: str) -> Item:
    try:
        found: object = json.loads(base64.urlsafe_b64decode(cursor))
    except ValueError:
        found = None
    match found:
        case [str(pk), str(sk)]:
            return cast("Item", {"pk": {"S": pk}, "sk": {"S": sk}})
        case _:
            raise CursorError("after is no cursor that a page gave out")
