"""Condition expressions of SimStore: what they mean, and what is said of wrong ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from simulation.store.conditions import check_use, check_values, compiled, read_values
from simulation.store.errors import InvalidError
from simulation.store.reserved import RESERVED
from simulation.store.syntax import Parser
from simulation.store.values import read_item

KIND = "ConditionExpression"
ITEM: dict[str, Any] = {
    "pk": {"S": "a"},
    "n": {"N": "5"},
    "x": {"S": "hello"},
    "b": {"B": b"\x01\x02"},
    "t": {"BOOL": True},
    "m": {"M": {"l": {"L": [{"N": "1"}, {"S": "z"}]}}},
    "s": {"SS": ["a", "b"]},
}
VALUES: dict[str, Any] = {
    ":one": {"N": "1"},
    ":five": {"N": "5.0"},
    ":six": {"N": "6"},
    ":h": {"S": "h"},
    ":hello": {"S": "hello"},
    ":z": {"S": "z"},
    ":a": {"S": "a"},
    ":byte": {"B": b"\x01"},
    ":kind": {"S": "N"},
    ":set": {"SS": ["b", "a"]},
    ":true": {"BOOL": True},
}


def holds(
    text: str, item: dict[str, Any] | None = None, *, aliases: Mapping[str, str] | None = None
) -> bool:
    """What the condition says of the item."""
    values = read_values(VALUES)
    made = compiled(KIND, text, aliases or {})
    check_values(KIND, made, values)
    return made.decide(read_item(ITEM if item is None else item), values)


@pytest.mark.parametrize(
    "text",
    [
        "n = :five",
        "n <> :six",
        "n < :six AND n <= :five AND n > :one AND n >= :five",
        "n BETWEEN :one AND :five",
        "n IN (:one, :six, :five)",
        "attribute_exists(pk) AND attribute_not_exists(nope)",
        "begins_with(x, :h) AND begins_with(b, :byte)",
        "contains(x, :h) AND contains(s, :a) AND contains(m.l, :z)",
        "attribute_type(n, :kind)",
        "size(x) = :five AND size(s) > :one",
        "m.l[0] = :one AND m.l[1] = :z",
        "attribute_not_exists(m.l[2]) AND attribute_not_exists(m.q.r)",
        "s = :set AND t = :true",
        "NOT n = :six",
        "NOT (n = :five AND x = :h)",
        "n = :six OR n = :five AND x = :hello",
        "(n = :five OR n = :six) AND (x = :hello)",
        "n = :five and not x = :h",
        "n<:six AND\n\tx=:hello",
        "nope <> :one",
        "x <> :one",
        "NOT nope < :one AND NOT x < :one AND NOT nope = :one",
        "NOT size(n) >= :one AND NOT size(nope) >= :one",
        "NOT begins_with(n, :h) AND NOT contains(n, :h) AND NOT contains(nope, :h)",
        ":five = n AND :one < n",
        "#x = :hello AND #deep.#l[0] = :one",
    ],
)
def test_these_hold_of_the_item(text: str) -> None:
    aliases = {"#x": "x", "#deep": "m", "#l": "l"} if "#" in text else {}

    assert holds(text, aliases=aliases)


@pytest.mark.parametrize(
    "text",
    [
        "n = :six",
        "n = :hello",
        "(n = :six OR n = :five) AND x = :h",
        "NOT n = :five",
        "n BETWEEN :six AND :six",
        "n IN (:one, :hello)",
        "attribute_exists(m.l[5])",
        "nope = :one",
        "nope < :one",
        "nope BETWEEN :one AND :six",
    ],
)
def test_these_do_not(text: str) -> None:
    assert not holds(text)


def test_of_an_item_that_does_not_exist_only_what_is_missing_holds() -> None:
    assert holds("attribute_not_exists(pk)", {})
    assert holds("n <> :one", {})
    assert not holds("attribute_exists(pk)", {})
    assert not holds("n = :one", {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "The expression can not be empty;"),
        ("n = ", 'Syntax error; token: "<EOF>"'),
        ("n = = :one", 'Syntax error; token: "="'),
        ("n ! :one", 'Syntax error; token: "!"'),
        ("n :one", 'Syntax error; token: ":one"'),
        ("n = :one AND", 'token: "<EOF>"'),
        ("AND n = :one", 'token: "AND"'),
        ("n = :one n", 'token: "n"'),
        ("(n = :one", 'token: "<EOF>"'),
        ("n IN ()", r'token: "\)"'),
        ("n BETWEEN :one OR :six", 'token: "OR"'),
        ("m.l[:one] = :one", 'token: ":one"'),
        ("size(n)", 'token: "<EOF>"'),
        ("attribute_type(n, x)", "Syntax error"),
        ("nope(n)", "Invalid function name; function: nope"),
        ("SIZE(n) > :one", "Invalid function name; function: SIZE"),
        ("attribute_exists(n, x)", "number of operands: 2"),
        ("begins_with(n)", "number of operands: 1"),
        ("attribute_exists(:one)", "requires a document path"),
        ("((n = :one))", "redundant parentheses"),
        ("n = :one AND ((n = :six))", "redundant parentheses"),
        ("n = n", r"must be distinct.*operator: =, first operand: \[n\]"),
        ("contains(m.l, m.l)", r"operator: contains, first operand: \[m.l\]"),
        ("size = :one", "reserved keyword: size"),
        ("m.Name = :one", "reserved keyword: Name"),
        ("#q = :one", "attribute name: #q"),
        ("n = :q", "attribute value: :q"),
        ("n = :six OR n = :q", "attribute value: :q"),
        ("n < :true", "operator or function: <, operand type: BOOL"),
        ("n BETWEEN :six AND :one", "upper bound to be greater"),
        ("n BETWEEN :one AND :hello", "same data type"),
        ("begins_with(x, :one)", "begins_with, operand type: N"),
        ("attribute_type(x, :hello)", "Invalid attribute type name found; type: hello"),
    ],
)
def test_a_wrong_expression_is_refused_with_its_reason(text: str, said: str) -> None:
    with pytest.raises(InvalidError, match=said) as caught:
        holds(text)

    assert str(caught.value).startswith("Invalid ConditionExpression: ")


def test_what_is_not_used_is_refused() -> None:
    values = read_values({":a": {"N": "1"}, ":b": {"N": "1"}})

    with pytest.raises(InvalidError, match=r"unused in expressions: keys: \{:b\}"):
        check_use(values=values, aliases={}, used_values=frozenset({":a"}), used=frozenset())
    with pytest.raises(InvalidError, match=r"ExpressionAttributeNames unused.*\{#a\}"):
        check_use(values={}, aliases={"#a": "a"}, used_values=frozenset(), used=frozenset())


@given(st.text(alphabet="nx:#()[].=<> ,ANDORTBEWIsize019", max_size=30))
def test_whatever_is_written_is_parsed_or_refused(text: str) -> None:
    try:
        Parser(KIND, text, {}).parse()
    except InvalidError as error:
        assert str(error).startswith("Invalid ConditionExpression: ")


def test_the_reserved_words_are_the_services() -> None:
    """Another list of the same appendix, which somebody else wrote down."""
    assert {word.upper() for word in ReservedKeywords.get_reserved_keywords()} == RESERVED
