"""Key conditions: one partition, and at most one range of its order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from simulation.store.conditions import check_range
from simulation.store.deciding import ORDERS, Values
from simulation.store.errors import InvalidError
from simulation.store.schema import KeyPart, Keys
from simulation.store.syntax import Between, Both, Call, Compare, Given, Path, Test
from simulation.store.values import Value, order_of

KIND = "KeyConditionExpression"
BAD_CONDITION = "Query key condition not supported"
TURNED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True)
class Range:
    """What the sort key must be. Shape: `word` is a comparator, BETWEEN or begins_with."""

    word: str
    values: tuple[str, ...]


@lru_cache(maxsize=500)
def read_key_condition(test: Test, keys: Keys) -> tuple[str, Range | None]:
    """The name of the partition's value, and what the sort key must be.

    Raises: InvalidError where it is not one equality and at most one range.
    """
    terms = [_turned(term) for term in _terms(test)]
    hashes = [t for t in terms if isinstance(t, Compare) and t.left == Path((keys.hash.name,))]
    ranges = [t for t in terms if t not in hashes]
    if not hashes:
        raise InvalidError(f"Query condition missed key schema element: {keys.hash.name}")
    if len(hashes) > 1 or len(ranges) > 1:
        raise InvalidError("KeyConditionExpressions must only contain one condition per key")
    hash_ = hashes[0]
    if hash_.comparator != "=" or not isinstance(hash_.right, Given):
        raise InvalidError(BAD_CONDITION)
    return hash_.right.name, _read_range(ranges[0], keys) if ranges else None


def _terms(test: Test) -> list[Compare | Between | Call]:
    if isinstance(test, Both) and test.word == "AND":
        return [*_terms(test.left), *_terms(test.right)]
    if isinstance(test, Compare | Between | Call):
        return [test]
    raise InvalidError("Invalid operator used in KeyConditionExpression")


def _turned(term: Compare | Between | Call) -> Compare | Between | Call:
    """The attribute stands at the left. Raises: InvalidError where it is a part of one."""
    if isinstance(term, Compare) and isinstance(term.left, Given):
        term = Compare(TURNED[term.comparator], term.right, term.left)
    first = term.operands[0] if isinstance(term, Call) else None
    first = term.left if isinstance(term, Compare) else first
    first = term.operand if isinstance(term, Between) else first
    if isinstance(first, Path) and len(first.parts) > 1:
        raise InvalidError(
            "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on "
            "nested attributes"
        )
    return term


def _read_range(term: Compare | Between | Call, keys: Keys) -> Range:
    match term:
        case Compare(comparator, Path() as path, Given(name)) if comparator != "<>":
            found, range_ = path, Range(comparator, (name,))
        case Between(Path() as path, Given(low), Given(high)):
            found, range_ = path, Range("BETWEEN", (low, high))
        case Call("begins_with", (Path() as path, Given(name))):
            found, range_ = path, Range("begins_with", (name,))
        case _:
            raise InvalidError(BAD_CONDITION)
    if keys.range is None or found != Path((keys.range.name,)):
        name = keys.range.name if keys.range else str(found.parts[0])
        raise InvalidError(f"Query condition missed key schema element: {name}")
    return range_


def typed(part: KeyPart, value: Value) -> Any:
    """The value of a key condition. Raises: InvalidError where it is not of the key's type."""
    content = value.get(part.kind)
    if content is None:
        raise InvalidError(
            "One or more parameter values were invalid: Condition parameter type does not match "
            "schema type"
        )
    if not content:
        raise InvalidError(
            "One or more parameter values are not valid. The AttributeValue for a key attribute "
            f"cannot contain an empty {'string' if part.kind == 'S' else 'binary'} value. "
            f"Key: {part.name}"
        )
    return order_of(part.kind, content)


def bounds_of(keys: Keys, range_: Range | None, values: Values) -> tuple[Any, Any]:
    """The first and the last value of the range; both None without one. Raises: InvalidError."""
    if range_ is None or keys.range is None:
        return None, None
    found = [typed(keys.range, values[name]) for name in range_.values]
    if range_.word == "begins_with" and keys.range.kind == "N":
        raise InvalidError(
            "Invalid KeyConditionExpression: Incorrect operand type for operator or function; "
            "operator or function: begins_with, operand type: N"
        )
    if range_.word == "BETWEEN":
        check_range(KIND, values[range_.values[0]], values[range_.values[1]])
    return found[0], found[-1]


def is_within(key: Any, word: str, low: Any, high: Any) -> bool:
    """Whether the sort key is as the condition wants it."""
    match word:
        case "=" | "BETWEEN":
            return low <= key <= high
        case "begins_with":
            return key[: len(low)] == low
        case "<" | "<=" | ">" | ">=":
            return ORDERS[word](key, low)
        case _:
            return True
