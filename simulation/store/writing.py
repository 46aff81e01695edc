"""Transactions: what each slot does, what may not stand together, and which were seen before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulation.store.conditions import Condition, check_use, check_values, compiled, read_values
from simulation.store.errors import FlawError, InvalidError, UnsupportedError
from simulation.store.schema import (
    Position,
    Schema,
    check_index_keys,
    position_of_item,
    position_of_key,
)
from simulation.store.values import Image, read_item

MOST_SLOTS = 100
LARGEST_TRANSACTION_BYTES = 4 * 1024 * 1024
TOKEN_WINDOW_S = 600.0
LONGEST_TOKEN = 36
CONDITIONED = frozenset(
    {
        "TableName",
        "ConditionExpression",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "ReturnValuesOnConditionCheckFailure",
    }
)
PUT = CONDITIONED | {"Item"}
KEYED = CONDITIONED | {"Key"}
ALWAYS: Mapping[str, str] = {}


class NoTableError(Exception):
    """A slot is for a table that does not exist."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One action.

    Shape: `kind` is Put, Delete or ConditionCheck; `image` is what a Put writes; `flaw` is why the
    item or key does not fit the table, and then the key is empty.
    """

    kind: str
    key: Position
    image: Image | None
    condition: Condition | None
    shows_old: bool
    flaw: str


def read_slot(schema: Schema, given: Mapping[str, Any]) -> Slot:
    """The action of a slot. Raises: InvalidError, NoTableError, UnsupportedError."""
    if len(given) != 1:
        raise InvalidError("TransactItems can only contain one of Check, Put, Update or Delete")
    ((kind, request),) = given.items()
    if kind == "Put":
        if not request.keys() <= PUT:
            raise UnsupportedError(f"Put with {sorted(request.keys() - PUT)}")
    elif kind not in ("Delete", "ConditionCheck"):
        raise UnsupportedError(f"{kind} in a transaction")
    elif not request.keys() <= KEYED:
        raise UnsupportedError(f"{kind} with {sorted(request.keys() - KEYED)}")
    if request["TableName"] != schema.table:
        raise NoTableError
    condition = _read_condition(request)
    if condition is None and kind == "ConditionCheck":
        raise InvalidError("The ConditionExpression of a ConditionCheck must not be empty")
    image, flaw = None, ""
    key: Position = ()
    try:
        if kind == "Put":
            image = read_item(request["Item"])
            key = position_of_item(schema.keys, image)
            check_index_keys(schema, image)
        else:
            key = position_of_key(schema.keys, request["Key"])
    except FlawError as error:
        key, flaw = (), str(error)
    shows_old = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    return Slot(kind, key, image, condition, shows_old, flaw)


def _read_condition(request: Mapping[str, Any]) -> Condition | None:
    text = request.get("ConditionExpression")
    aliases = request.get("ExpressionAttributeNames")
    given = request.get("ExpressionAttributeValues")
    if text is None:
        for name, sent in (("Names", aliases), ("Values", given)):
            if sent is not None:
                raise InvalidError(
                    f"ExpressionAttribute{name} can only be specified when using expressions"
                )
        return None
    if aliases is not None and not aliases:
        raise InvalidError("ExpressionAttributeNames must not be empty")
    aliases = aliases or ALWAYS
    made = compiled("ConditionExpression", text, aliases)
    expression = made.expression
    values = read_values(given) if given is not None else {}
    check_values("ConditionExpression", made, values)
    check_use(
        values=values, aliases=aliases, used_values=expression.values, used=expression.aliases
    )
    return Condition(made.decide, values, text)


def check_together(slots: list[Slot]) -> None:
    """The slots may stand in one transaction. Raises: InvalidError."""
    keys = [slot.key for slot in slots if slot.key]
    if len(set(keys)) < len(keys):
        raise InvalidError("Transaction request cannot include multiple operations on one item")
    if sum(slot.image.size for slot in slots if slot.image) > LARGEST_TRANSACTION_BYTES:
        raise InvalidError(
            "Collection size of items exceeded, which can also be caused by the aggregate size of "
            "the items in the transaction exceeding the 4MB limit"
        )


class Tokens:
    """The client's tokens of the last ten minutes and what was asked with each.

    Source: the API reference of TransactWriteItems: ten minutes from the first request's end.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[float, list[Slot]]] = {}

    def find(self, token: str, now: float) -> list[Slot] | None:
        """What was written with the token, where that is not too long ago."""
        seen = self._seen
        while seen:
            first = next(iter(seen))
            if now - seen[first][0] < TOKEN_WINDOW_S:
                break
            del seen[first]
        found = seen.get(token)
        return None if found is None else found[1]

    def keep(self, token: str, now: float, slots: list[Slot]) -> None:
        """The token is known from now on."""
        self._seen[token] = (now, slots)

    def dump(self) -> dict[str, tuple[float, list[Slot]]]:
        """All of them, as a copy."""
        return self._seen.copy()

    def restore(self, seen: dict[str, tuple[float, list[Slot]]]) -> None:
        """The tokens are those again."""
        self._seen = seen.copy()
