"""Trees made runnable: what a condition says of an item.

Source: the developer guide on condition expressions, and on comparison operators: what is of
different types compares as false, `<>` as true, and so does an attribute that is not there.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from simulation.store.syntax import (
    Between,
    Both,
    Call,
    Compare,
    Given,
    In,
    Not,
    Operand,
    Path,
    Size,
    Test,
)
from simulation.store.values import ORDERED, SETS, Value, order_of, text_bytes

Values = Mapping[str, Value]
Decide = Callable[[Mapping[str, Any], Values], bool]
Find = Callable[[Mapping[str, Any], Values], Value | None]

ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def decide_of(test: Test) -> Decide:
    """The test as a function of an item and the request's values."""
    match test:
        case Both("AND", left, right):
            first, second = decide_of(left), decide_of(right)
            return lambda image, values: first(image, values) and second(image, values)
        case Both(_, left, right):
            first, second = decide_of(left), decide_of(right)
            return lambda image, values: first(image, values) or second(image, values)
        case Not(inner):
            decide = decide_of(inner)
            return lambda image, values: not decide(image, values)
        case Compare():
            return _compare(test)
        case Between(operand, low, high):
            above = _order(">=", _find(operand), _find(low))
            below = _order("<=", _find(operand), _find(high))
            return lambda image, values: above(image, values) and below(image, values)
        case In(operand, options):
            find, finds = _find(operand), [_find(option) for option in options]
            return lambda image, values: _is_in(find(image, values), finds, image, values)
        case Call():
            return _call(test)


def _compare(test: Compare) -> Decide:
    left, right = _find(test.left), _find(test.right)
    if test.comparator == "=":
        if (
            isinstance(test.left, Path)
            and len(test.left.parts) == 1
            and isinstance(test.right, Given)
        ):
            return _equals(str(test.left.parts[0]), test.right.name)
        return lambda image, values: _are_equal(left(image, values), right(image, values))
    if test.comparator == "<>":
        return lambda image, values: not _are_equal(left(image, values), right(image, values))
    return _order(test.comparator, left, right)


def _equals(name: str, value: str) -> Decide:
    """Why: it is what nearly all of the conditions are."""
    return lambda image, values: image.get(name) == values[value]


def _are_equal(left: Value | None, right: Value | None) -> bool:
    return left is not None and left == right


def _is_in(
    found: Value | None, finds: list[Find], image: Mapping[str, Any], values: Values
) -> bool:
    return any(_are_equal(found, find(image, values)) for find in finds)


def _order(comparator: str, left: Find, right: Find) -> Decide:
    compare = ORDERS[comparator]

    def decide(image: Mapping[str, Any], values: Values) -> bool:
        first, second = left(image, values), right(image, values)
        if first is None or second is None:
            return False
        ((kind, content),) = first.items()
        ((other, against),) = second.items()
        if kind != other or kind not in ORDERED:
            return False
        return compare(order_of(kind, content), order_of(kind, against))

    return decide


def _find(operand: Operand) -> Find:
    match operand:
        case Given(name):
            return lambda _image, values: values[name]
        case Path(parts) if len(parts) == 1:
            name = str(parts[0])
            return lambda image, _values: image.get(name)
        case Path(parts):
            return lambda image, _values: _walk(image, parts)
        case Size(path):
            find = _find(path)
            return lambda image, values: _size(find(image, values))


def _walk(image: Mapping[str, Any], parts: tuple[str | int, ...]) -> Value | None:
    found: Value | None = image.get(str(parts[0]))
    for part in parts[1:]:
        if found is None:
            return None
        if isinstance(part, str):
            found = found.get("M", {}).get(part)
        else:
            members: list[Value] = found.get("L", [])
            found = members[part] if part < len(members) else None
    return found


def _size(value: Value | None) -> Value | None:
    """The size as `size()` counts it: characters' bytes, bytes, or members."""
    if value is None:
        return None
    ((kind, content),) = value.items()
    if kind == "S":
        return {"N": str(text_bytes(content))}
    if kind in ("B", "L", "M", *SETS):
        return {"N": str(len(content))}
    return None


def _call(test: Call) -> Decide:
    finds = [_find(operand) for operand in test.operands]
    first = finds[0]
    if test.function == "attribute_exists":
        return lambda image, values: first(image, values) is not None
    if test.function == "attribute_not_exists":
        if isinstance(test.operands[0], Path) and len(test.operands[0].parts) == 1:
            name = test.operands[0].parts[0]
            return lambda image, _values: name not in image
        return lambda image, values: first(image, values) is None
    second = finds[1]
    decide = {"attribute_type": _is_type, "begins_with": _begins, "contains": _contains}[
        test.function
    ]
    return lambda image, values: decide(first(image, values), second(image, values))


def _is_type(value: Value | None, kind: Value | None) -> bool:
    return value is not None and kind is not None and kind["S"] in value


def _begins(value: Value | None, start: Value | None) -> bool:
    if value is None or start is None:
        return False
    for kind in ("S", "B"):
        if kind in value and kind in start:
            return value[kind].startswith(start[kind])
    return False


def _contains(value: Value | None, part: Value | None) -> bool:
    if value is None or part is None:
        return False
    ((kind, content),) = value.items()
    ((part_kind, sought),) = part.items()
    if kind in ("S", "B"):
        return part_kind == kind and sought in content
    if kind in SETS:
        return part_kind == SETS[kind] and sought in content
    return kind == "L" and part in content
