"""A query as it was asked, with everything that AWS would refuse refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulation.store.conditions import (
    Aliases,
    Condition,
    check_defined,
    check_use,
    check_values,
    compiled,
    parse,
    projected_names,
    read_values,
)
from simulation.store.deciding import Values
from simulation.store.errors import FlawError, InvalidError, UnsupportedError
from simulation.store.key_conditions import (
    KIND,
    bounds_of,
    is_within,
    read_key_condition,
    typed,
)
from simulation.store.schema import Index, Position, Schema, position_of_key
from simulation.store.syntax import Expression

BAD_START = "The provided starting key is invalid"
OUTSIDE = "The provided starting key is outside query boundaries based on provided conditions"
QUERY = frozenset(
    {
        "TableName",
        "IndexName",
        "KeyConditionExpression",
        "FilterExpression",
        "ProjectionExpression",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "ConsistentRead",
        "ScanIndexForward",
        "Limit",
        "ExclusiveStartKey",
        "Select",
    }
)


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was read: its partition, its part of it, and what it answers with.

    Shape: `word` is what the sort key must be to `low` and `high`; `start` is the place that the
    page before ended at; `names` are the attributes asked for, None for all there are.
    """

    index: Index | None
    partition: Any
    low: Any
    high: Any
    word: str
    is_strong: bool
    is_forward: bool
    limit: int | None
    start: Position | None
    filter: Condition | None
    names: frozenset[str] | None
    is_count: bool


def read_query(schema: Schema, request: Mapping[str, Any]) -> Query:
    """The query as it was asked. Raises: InvalidError, UnsupportedError."""
    index = _read_index(schema, request)
    keys = schema.keys if index is None else index.keys
    values = read_values(request.get("ExpressionAttributeValues"))
    expression = _read_expression(request, values)
    hash_value, range_ = read_key_condition(expression.test, keys)
    condition, names = _read_rest(schema, index, request, values)
    partition = typed(keys.hash, values[hash_value])
    low, high = bounds_of(keys, range_, values)
    word = "" if range_ is None else range_.word
    limit = request.get("Limit")
    if limit is not None and limit < 1:
        raise InvalidError(
            "1 validation error detected: Value at 'Limit' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1"
        )
    start = _read_start(schema, index, partition, request.get("ExclusiveStartKey"))
    if start is not None and not is_within(start[0], word, low, high):
        raise InvalidError("The provided starting key does not match the range key predicate")
    return Query(
        index=index,
        partition=partition,
        low=low,
        high=high,
        word=word,
        is_strong=bool(request.get("ConsistentRead", False)),
        is_forward=bool(request.get("ScanIndexForward", True)),
        limit=limit,
        start=start,
        filter=condition,
        names=names,
        is_count=_read_select(request),
    )


def _read_index(schema: Schema, request: Mapping[str, Any]) -> Index | None:
    name = request.get("IndexName")
    if name is None:
        return None
    index = schema.indexes.get(name)
    if index is None:
        raise InvalidError(f"The table does not have the specified index: {name}")
    if request.get("ConsistentRead"):
        raise InvalidError("Consistent reads are not supported on global secondary indexes")
    return index


def _read_select(request: Mapping[str, Any]) -> bool:
    select = request.get("Select")
    if select in (None, "COUNT"):
        return select == "COUNT"
    raise UnsupportedError(f"Select={select}")


def _read_expression(request: Mapping[str, Any], values: Values) -> Expression:
    text = request.get(KIND)
    if text is None:
        raise InvalidError(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in "
            "the request."
        )
    expression = parse(KIND, text, request.get("ExpressionAttributeNames") or {})
    check_defined(KIND, expression, values)
    return expression


def _read_rest(
    schema: Schema, index: Index | None, request: Mapping[str, Any], values: Values
) -> tuple[Condition | None, frozenset[str] | None]:
    """The filter and the attributes asked for. Nothing of the request is left unused."""
    aliases: Aliases = request.get("ExpressionAttributeNames") or {}
    expression = parse(KIND, request[KIND], aliases)
    used_values, used = expression.values, expression.aliases
    condition: Condition | None = None
    names: frozenset[str] | None = None
    if "FilterExpression" in request:
        made = compiled("FilterExpression", request["FilterExpression"], aliases)
        check_values("FilterExpression", made, values)
        for name in (schema.keys if index is None else index.keys).names:
            if name in made.names:
                raise InvalidError(
                    "Filter Expression can only contain non-primary key attributes: "
                    f"Primary key attribute: {name}"
                )
        condition = Condition(made.decide, values, request["FilterExpression"])
        used_values |= made.expression.values
        used |= made.expression.aliases
    if "ProjectionExpression" in request:
        text = request["ProjectionExpression"]
        names, more = projected_names(text, tuple(sorted(aliases.items())))
        used |= more
        if index is not None and index.projected is not None and not names <= index.projected:
            raise UnsupportedError("attributes that the index does not project")
    check_use(values=values, aliases=aliases, used_values=used_values, used=used)
    return condition, names


def _read_start(
    schema: Schema, index: Index | None, partition: Any, key: Mapping[str, Any] | None
) -> Position | None:
    """The place in the partition that the page before ended at. Raises: InvalidError."""
    if key is None:
        return None
    own = schema.keys.names
    of_index = () if index is None else index.keys.names
    if set(key) != {*own, *of_index}:
        raise InvalidError(BAD_START)
    try:
        position = position_of_key(schema.keys, {name: key[name] for name in own})
        found, place = position[0], position[1:]
        if index is not None:
            there = position_of_key(index.keys, {name: key[name] for name in of_index})
            found, place = there[0], (*there[1:], *position)
    except FlawError as error:
        raise InvalidError(f"{BAD_START}: {error}") from error
    if found != partition:
        raise InvalidError(OUTSIDE)
    return place
