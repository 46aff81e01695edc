"""Expressions of a request: parsed once and kept, and refused where AWS refuses them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from simulation.store.deciding import ORDERS, Decide, Values, decide_of
from simulation.store.errors import InvalidError, UnsupportedError
from simulation.store.syntax import (
    Between,
    Both,
    Call,
    Compare,
    Expression,
    Given,
    In,
    Not,
    Operand,
    Parser,
    Path,
    Size,
    Test,
)
from simulation.store.values import ORDERED, Image, Value, order_of, read_value

Aliases = Mapping[str, str]

KEPT = 2000
TYPES = frozenset({"S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"})
OPERAND_TYPES: Mapping[str, frozenset[str]] = {
    "begins_with": frozenset("SB"),
    "attribute_type": frozenset("S"),
}
_NAME = re.compile(r":[A-Za-z0-9_]+").fullmatch
NO_IMAGE = Image()
NO_IMAGE.size = 0


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a request: the decision, and the values it is decided with."""

    decide: Decide
    values: Values
    text: str

    def holds(self, image: Mapping[str, Any] | None) -> bool:
        """Whether the item is so. None is an item that does not exist."""
        return self.decide(NO_IMAGE if image is None else image, self.values)


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression that can be decided, and what it uses of the request.

    Shape: `typed` are values with the operator they stand at and the types that it takes;
    `ranges` are the bounds of BETWEEN; `names` are the attributes that it looks at.
    """

    decide: Decide
    expression: Expression
    typed: tuple[tuple[str, str, frozenset[str]], ...]
    ranges: tuple[tuple[str, str], ...]
    names: frozenset[str]


def read_values(given: Mapping[str, Any] | None) -> dict[str, Value]:
    """The request's values in their one spelling. Raises: InvalidError."""
    if given is None:
        return {}
    if not given:
        raise InvalidError("ExpressionAttributeValues must not be empty")
    found: dict[str, Value] = {}
    for name, value in given.items():
        try:
            found[name] = read_value(value)[0]
        except InvalidError as error:
            message = f"ExpressionAttributeValues contains invalid value: {error} for key {name}"
            raise InvalidError(message) from error
    return found


def check_use(
    *,
    values: Mapping[str, Any],
    aliases: Aliases,
    used_values: frozenset[str],
    used: frozenset[str],
) -> None:
    """Every value and alias of the request is used. Raises: InvalidError."""
    # Why: what is used was found in the request, so numbers tell whether anything is left.
    if len(values) != len(used_values):
        _check_names(values)
        rest = ", ".join(sorted(values.keys() - used_values))
        raise InvalidError(
            f"Value provided in ExpressionAttributeValues unused in expressions: keys: {{{rest}}}"
        )
    if len(aliases) != len(used):
        rest = ", ".join(sorted(aliases.keys() - used))
        raise InvalidError(
            f"Value provided in ExpressionAttributeNames unused in expressions: keys: {{{rest}}}"
        )


def _check_names(values: Values) -> None:
    for name in values:
        if _NAME(name) is None:
            raise InvalidError(
                f'ExpressionAttributeValues contains invalid key: Syntax error; key: "{name}"'
            )


def check_defined(kind: str, expression: Expression, values: Values) -> None:
    """Every value that the expression names is in the request. Raises: InvalidError."""
    if not expression.values <= values.keys():
        _check_names(values)
        name = min(expression.values - values.keys())
        raise InvalidError(
            f"Invalid {kind}: An expression attribute value used in expression is not defined; "
            f"attribute value: {name}"
        )


def parse(kind: str, text: str, aliases: Aliases) -> Expression:
    """The expression as a tree. Raises: InvalidError."""
    return _parse(kind, text, tuple(sorted(aliases.items())))


@lru_cache(maxsize=KEPT)
def _parse(kind: str, text: str, aliases: tuple[tuple[str, str], ...]) -> Expression:
    return Parser(kind, text, dict(aliases)).parse()


def compiled(kind: str, text: str, aliases: Aliases) -> Compiled:
    """The expression, ready to be decided. Raises: InvalidError."""
    return _compiled(kind, text, tuple(sorted(aliases.items())) if aliases else ())


@lru_cache(maxsize=KEPT)
def _compiled(kind: str, text: str, aliases: tuple[tuple[str, str], ...]) -> Compiled:
    expression = _parse(kind, text, aliases)
    tests = list(_parts(expression.test))
    typed = tuple(each for test in tests for each in _typed(test))
    ranges = tuple(
        (test.low.name, test.high.name)
        for test in tests
        if isinstance(test, Between)
        and isinstance(test.low, Given)
        and isinstance(test.high, Given)
    )
    names = frozenset(
        str(operand.parts[0])
        for test in tests
        for each in _operands(test)
        for operand in [each.path if isinstance(each, Size) else each]
        if isinstance(operand, Path)
    )
    return Compiled(decide_of(expression.test), expression, typed, ranges, names)


def _operands(test: Test) -> tuple[Operand, ...]:
    match test:
        case Compare(_, left, right):
            return (left, right)
        case Between(operand, low, high):
            return (operand, low, high)
        case In(operand, options):
            return (operand, *options)
        case Call(_, operands):
            return operands
        case _:
            return ()


def _parts(test: Test) -> Iterator[Test]:
    """The test and all that it is made of."""
    yield test
    if isinstance(test, Not):
        yield from _parts(test.test)
    elif isinstance(test, Both):
        yield from _parts(test.left)
        yield from _parts(test.right)


def _typed(test: Test) -> Iterator[tuple[str, str, frozenset[str]]]:
    match test:
        case Compare(comparator, left, right) if comparator in ORDERS:
            for operand in (left, right):
                if isinstance(operand, Given):
                    yield comparator, operand.name, ORDERED
        case Between(_, low, high):
            for operand in (low, high):
                if isinstance(operand, Given):
                    yield "BETWEEN", operand.name, ORDERED
        case Call(function, (_, Given(name))) if function in OPERAND_TYPES:
            yield function, name, OPERAND_TYPES[function]
        case _:
            pass


def check_values(kind: str, made: Compiled, values: Values) -> None:
    """The values of the request are there and of types that their operators take.

    Raises: InvalidError. Source: AWS refuses these before it looks at any item.
    """
    check_defined(kind, made.expression, values)
    for word, name, allowed in made.typed:
        found = next(iter(values[name]))
        if found not in allowed:
            raise InvalidError(
                f"Invalid {kind}: Incorrect operand type for operator or function; "
                f"operator or function: {word}, operand type: {found}"
            )
        if word == "attribute_type" and values[name]["S"] not in TYPES:
            raise InvalidError(
                f"Invalid {kind}: Invalid attribute type name found; type: {values[name]['S']}"
            )
    for low, high in made.ranges:
        check_range(kind, values[low], values[high])


def check_range(kind: str, low: Value, high: Value) -> None:
    """The bounds of a BETWEEN are of one type and in order. Raises: InvalidError."""
    ((low_kind, first),) = low.items()
    ((high_kind, last),) = high.items()
    bounds = (
        f"lower bound operand: AttributeValue: {{{low_kind}:{first}}}, "
        f"upper bound operand: AttributeValue: {{{high_kind}:{last}}}"
    )
    if low_kind != high_kind:
        raise InvalidError(
            f"Invalid {kind}: The BETWEEN operator requires same data type for lower and upper "
            f"bounds; {bounds}"
        )
    if order_of(low_kind, first) > order_of(low_kind, last):
        raise InvalidError(
            f"Invalid {kind}: The BETWEEN operator requires upper bound to be greater than or "
            f"equal to lower bound; {bounds}"
        )


@lru_cache(maxsize=KEPT)
def projected_names(
    text: str, aliases: tuple[tuple[str, str], ...]
) -> tuple[frozenset[str], frozenset[str]]:
    """The attributes that a ProjectionExpression names, and the aliases it uses."""
    paths, used = Parser("ProjectionExpression", text, dict(aliases)).parse_paths()
    if any(len(path.parts) > 1 for path in paths):
        raise UnsupportedError("a part of an attribute in a ProjectionExpression")
    names = [str(path.parts[0]) for path in paths]
    names.sort(key=names.count, reverse=True)
    if len(set(names)) < len(names):
        raise InvalidError(
            "Invalid ProjectionExpression: Two document paths overlap with each other; "
            f"must remove or rewrite one of these paths; path one: [{names[0]}], "
            f"path two: [{names[0]}]"
        )
    return frozenset(names), used
