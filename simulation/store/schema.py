"""Keys and indexes of the table, as `create_table` declares them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulation.store.errors import FlawError, InvalidError, UnsupportedError
from simulation.store.values import Image, order_of, read_value, text_bytes

LARGEST_HASH_BYTES = 2048
LARGEST_RANGE_BYTES = 1024

# The parts of a key as Python values that compare as DynamoDB orders them.
Position = tuple[Any, ...]
PARAMETER = "One or more parameter values were invalid: "
NOT_THE_KEY = "The provided key element does not match the schema"


@dataclass(frozen=True, slots=True)
class KeyPart:
    """An attribute of a key. Shape: `kind` is S, N or B."""

    name: str
    kind: str
    largest_bytes: int


@dataclass(frozen=True, slots=True)
class Keys:
    """A key's parts: the partition's, and the order's where there is one."""

    hash: KeyPart
    range: KeyPart | None

    @property
    def parts(self) -> tuple[KeyPart, ...]:
        """One part or two."""
        return (self.hash,) if self.range is None else (self.hash, self.range)

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes' names."""
        return tuple(part.name for part in self.parts)


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index. `projected` is None where it has every attribute."""

    name: str
    keys: Keys
    projected: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Schema:
    """The table's name, key and indexes."""

    table: str
    keys: Keys
    indexes: Mapping[str, Index]
    # The attributes that only indexes are ordered by, each with its index's name.
    index_parts: tuple[tuple[str, KeyPart], ...]


def read_schema(definition: Mapping[str, Any]) -> Schema:
    """The schema of a table that is created with these parameters."""
    if definition.get("LocalSecondaryIndexes"):
        raise UnsupportedError("local secondary indexes")
    kinds = {
        each["AttributeName"]: each["AttributeType"] for each in definition["AttributeDefinitions"]
    }
    keys = _read_keys(definition["KeySchema"], kinds)
    indexes: dict[str, Index] = {}
    for given in definition.get("GlobalSecondaryIndexes", ()):
        own = _read_keys(given["KeySchema"], kinds)
        projection = given["Projection"]
        projected = None
        if projection["ProjectionType"] != "ALL":
            names = (*keys.names, *own.names, *projection.get("NonKeyAttributes", ()))
            projected = frozenset(names)
        indexes[given["IndexName"]] = Index(given["IndexName"], own, projected)
    parts = tuple(
        (index.name, part)
        for _, index in sorted(indexes.items())
        for part in index.keys.parts
        if part.name not in keys.names
    )
    return Schema(definition["TableName"], keys, indexes, parts)


def _read_keys(given: list[dict[str, str]], kinds: Mapping[str, str]) -> Keys:
    names = {each["KeyType"]: each["AttributeName"] for each in given}
    hash_ = KeyPart(names["HASH"], kinds[names["HASH"]], LARGEST_HASH_BYTES)
    range_ = None
    if "RANGE" in names:
        range_ = KeyPart(names["RANGE"], kinds[names["RANGE"]], LARGEST_RANGE_BYTES)
    return Keys(hash_, range_)


def position_of_item(keys: Keys, image: Image) -> Position:
    """Where the item lives.

    Raises: FlawError where its key is missing, too long or not of its type; InvalidError where
    it is empty.
    """
    found: list[Any] = []
    for part in keys.parts:
        value = image.get(part.name)
        if value is None:
            raise FlawError(f"{PARAMETER}Missing the key {part.name} in the item")
        content = value.get(part.kind)
        if content is None:
            actual = next(iter(value))
            raise FlawError(
                f"{PARAMETER}Type mismatch for key {part.name} expected: {part.kind} "
                f"actual: {actual}"
            )
        _check_size(part, content, is_hash=not found)
        found.append(content if part.kind == "S" else order_of(part.kind, content))
    return tuple(found)


def position_of_key(keys: Keys, key: Mapping[str, Any]) -> Position:
    """Where the key's item lives.

    Raises: FlawError where it is not the whole key alone; InvalidError where it is empty.
    """
    parts = keys.parts
    if len(key) != len(parts):
        raise FlawError(NOT_THE_KEY)
    found: list[Any] = []
    for part in parts:
        given = key.get(part.name)
        if given is None:
            raise FlawError(NOT_THE_KEY)
        content = given.get("S") if part.kind == "S" else read_value(given)[0].get(part.kind)
        if content is None:
            read_value(given)
            raise FlawError(NOT_THE_KEY)
        _check_size(part, content, is_hash=not found)
        found.append(content if part.kind == "S" else order_of(part.kind, content))
    return tuple(found)


def _check_size(part: KeyPart, content: Any, *, is_hash: bool) -> None:
    if part.kind == "N":
        return
    if not content:
        raise InvalidError(
            "One or more parameter values are not valid. The AttributeValue for a key attribute "
            f"cannot contain an empty {'string' if part.kind == 'S' else 'binary'} value. "
            f"Key: {part.name}"
        )
    if len(content) * 4 > part.largest_bytes:
        size = text_bytes(content) if part.kind == "S" else len(content)
        if size > part.largest_bytes:
            raise FlawError(
                f"{PARAMETER}Size of hashkey has exceeded the maximum size limit of"
                f"{part.largest_bytes} bytes"
                if is_hash
                else f"{PARAMETER}Aggregated size of all range keys has exceeded the size limit "
                f"of {part.largest_bytes} bytes"
            )


def check_index_keys(schema: Schema, image: Image) -> None:
    """An attribute that an index is ordered by has the index's type, or is not there.

    Raises: FlawError where it is of another type or too long; InvalidError where it is empty.
    """
    for index, part in schema.index_parts:
        value = image.get(part.name)
        if value is None:
            continue
        content = value.get(part.kind)
        if content is None:
            raise FlawError(
                f"{PARAMETER}Type mismatch for Index Key {part.name} Expected: {part.kind} "
                f"Actual: {next(iter(value))} IndexName: {index}"
            )
        if part.kind != "N":
            _check_index_size(index, part, content)


def _check_index_size(index: str, part: KeyPart, content: Any) -> None:
    if not content:
        kind = "string" if part.kind == "S" else "binary"
        raise InvalidError(
            "One or more parameter values are not valid. A value specified for a "
            "secondary index key is not supported. The AttributeValue for a key attribute "
            f"cannot contain an empty {kind} value. IndexName: {index}, IndexKey: {part.name}"
        )
    size = text_bytes(content) if part.kind == "S" else len(content)
    if size > part.largest_bytes:
        raise FlawError(
            f"{PARAMETER}Size of an index key has exceeded the maximum size limit of "
            f"{part.largest_bytes} bytes. IndexName: {index}, IndexKey: {part.name}"
        )


def index_place(
    index: Index, image: Mapping[str, Any], key: Position
) -> tuple[Any, Position] | None:
    """The index's partition and the place in it; None where the item is not in the index.

    Why: an item without one of the index's attributes is left out, so an index may be sparse.
    """
    hash_ = index.keys.hash
    value = image.get(hash_.name)
    if value is None:
        return None
    partition = order_of(hash_.kind, value[hash_.kind])
    range_ = index.keys.range
    if range_ is None:
        return partition, key
    value = image.get(range_.name)
    if value is None:
        return None
    return partition, (order_of(range_.kind, value[range_.kind]), *key)
