"""Single requests, each with a name, that show how an engine answers.

Every case starts from the same four items. What the engines answer differently is listed in
`differences`, by these names.
"""

from __future__ import annotations

from typing import Any

from tests.conformance.engines import TABLE

Request = tuple[str, dict[str, Any]]
Value = dict[str, Any]
WRITE = "transact_write_items"


def text(value: str) -> Value:
    """A string."""
    return {"S": value}


def number(value: object) -> Value:
    """A number, as it is written."""
    return {"N": str(value)}


def binary(value: bytes) -> Value:
    """Bytes."""
    return {"B": value}


def key(pk: str = "a", sk: str = "1") -> dict[str, Any]:
    """The key of an item."""
    return {"pk": text(pk), "sk": text(sk)}


def put(item: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A slot that puts the item."""
    return {"Put": {"TableName": TABLE, "Item": item, **more}}


def delete(place: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A slot that deletes the item."""
    return {"Delete": {"TableName": TABLE, "Key": place, **more}}


def check(place: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A slot that only looks."""
    return {"ConditionCheck": {"TableName": TABLE, "Key": place, **more}}


def write(*slots: dict[str, Any], **more: Any) -> Request:
    """A transaction."""
    return WRITE, {"TransactItems": list(slots), **more}


def put_with(**attributes: Any) -> Request:
    """A transaction that puts one item with these attributes."""
    return write(put(key() | attributes))


def put_if(condition: str, values: dict[str, Any] | None = None, **more: Any) -> Request:
    """A transaction that puts the item a/1 on a condition."""
    if values is not None:
        more["ExpressionAttributeValues"] = values
    return write(put(key(), ConditionExpression=condition, **more))


def get(place: dict[str, Any] | None = None, **more: Any) -> Request:
    """A read of one item."""
    return "get_item", {"TableName": TABLE, "Key": key() if place is None else place, **more}


def query(condition: str, values: dict[str, Any], **more: Any) -> Request:
    """A page."""
    return "query", {
        "TableName": TABLE,
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
        **more,
    }


def of_a(condition: str = "", values: dict[str, Any] | None = None, **more: Any) -> Request:
    """A page of the partition a, with a condition on its order."""
    return query("pk = :a" + condition, {":a": text("a"), **(values or {})}, **more)


SETUP: list[Request] = [
    write(
        put(key("a", "1") | {"n": number(1), "x": text("x"), "s": text("g")}),
        put(
            key("a", "2")
            | {
                "n": number("2.5"),
                "y": text("y"),
                "z": text("z"),
                "s": text("g"),
                "b": binary(b"\1"),
            }
        ),
        put(key("a", "3") | {"s": text("g")}),
        put(key("b", "1") | {"n": number(-5)}),
    )
]
NEW = "attribute_not_exists(pk)"
OLD = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
ONE = {":a": number(1)}
TEXT = {":a": text("x")}
LARGEST = 400 * 1024

VALUES: dict[str, Request] = {
    "put without its sort key": write(put({"pk": text("a")})),
    "put with a key of another type": write(put({"pk": number(1), "sk": text("a")})),
    "put with an empty partition key": write(put(key("", "1"))),
    "put with an empty sort key": write(put(key("a", ""))),
    "put with a key of 2048 bytes": write(put(key("é" * 1024))),
    "put with a key of 2049 bytes": write(put(key("x" * 2049))),
    "put with a sort key of 1025 bytes": write(put(key("a", "x" * 1025))),
    "delete of a key of another type": write(delete({"pk": number(1), "sk": text("a")})),
    "check of half a key": write(check({"pk": text("a")}, ConditionExpression=NEW)),
    "put of an empty string": put_with(x=text("")),
    "put of empty bytes": put_with(x=binary(b"")),
    "put of an empty set": put_with(x={"SS": []}),
    "put of a set with a member twice": put_with(x={"SS": ["a", "a"]}),
    "put of a set": put_with(x={"NS": ["1"]}),
    "put of a document": put_with(x={"M": {"l": {"L": [number("1.0"), {"BOOL": True}]}}}),
    "put of no value": put_with(x={}),
    "put of a value of two types": put_with(x={"S": "a", "N": "1"}),
    "put of null false": put_with(x={"NULL": False}),
    "put of a word as a number": put_with(x=number("abc")),
    "put of an empty number": put_with(x=number("")),
    "put of a number with a space": put_with(x=number(" 1")),
    "put of infinity": put_with(x=number("Infinity")),
    "put of 38 digits": put_with(x=number("1" * 38)),
    "put of 39 digits": put_with(x=number("1" * 39)),
    "put of the largest number": put_with(x=number("9.9999999999999999999999999999999999999E+125")),
    "put of a larger number": put_with(x=number("1e126")),
    "put of the smallest number": put_with(x=number("-1e-130")),
    "put of a smaller number": put_with(x=number("1e-131")),
    "put of a number in other spelling": put_with(x=number("+0012.500"), n=number("1E2")),
    "put of zero in other spelling": put_with(x=number("-0.00")),
    "put of an index key of another type": put_with(n=text("x")),
    "put of an index key that is null": put_with(s={"NULL": True}),
    "put of an empty index key": put_with(s=text("")),
    "put of an empty binary index key": put_with(b=binary(b"")),
    "put of an index key of 2049 bytes": put_with(s=text("x" * 2049)),
    "put of an index sort key of 1025 bytes": put_with(s=text("g"), b=binary(b"x" * 1025)),
    "put of the largest item": put_with(x=text("x" * (LARGEST - 7))),
    "put of a larger item": put_with(x=text("x" * (LARGEST - 6))),
    "put of an item larger by its number": put_with(x=text("x" * (LARGEST - 10)), y=number(123)),
}

TRANSACTIONS: dict[str, Request] = {
    "100 puts": write(*[put(key("q", str(i))) for i in range(100)]),
    "101 puts": write(*[put(key("q", str(i))) for i in range(101)]),
    "no slots": write(),
    "4 MB": write(*[put(key("q", str(i)) | {"x": text("x" * 400_000)}) for i in range(11)]),
    "one item twice": write(put(key()), put(key() | {"x": text("1")})),
    "one item put and checked": write(put(key()), check(key(), ConditionExpression=NEW)),
    "no such table": write({"Put": {"TableName": "no-such-table", "Item": key()}}),
    "a token of 37 letters": write(put(key()), ClientRequestToken="x" * 37),
    "a check without condition": write(check(key())),
    "a delete": write(delete(key())),
    "a delete of nothing": write(delete(key("nobody"))),
    "a check that holds": write(
        check(key(), ConditionExpression="x = :a", ExpressionAttributeValues=TEXT), put(key("q"))
    ),
    "a key that does not fit beside a put": write(put(key("q")), put({"pk": text("q")})),
    "a key that does not fit beside a failed condition": write(
        put(key(), ConditionExpression=NEW), put(key("q") | {"n": text("x")})
    ),
    "a failed condition with the old item": write(
        put(key(), ConditionExpression=NEW, **OLD), put(key("q"))
    ),
    "two failed conditions, one on nothing": write(
        put(key(), ConditionExpression=NEW),
        put(key("q"), ConditionExpression="attribute_exists(pk)", **OLD),
    ),
    "a failed delete with the old item": write(
        delete(key(), ConditionExpression="x = :a", ExpressionAttributeValues=ONE, **OLD)
    ),
    "a failed check with the old item": write(check(key(), ConditionExpression=NEW, **OLD)),
}

CONDITIONS: dict[str, Request] = {
    "a value that is not used": put_if("attribute_exists(pk)", ONE),
    "a value that is not there": put_if("x = :a"),
    "a value that is not looked at is not there": put_if("x = :a OR y = :b", TEXT),
    "no values in the values": put_if("attribute_exists(pk)", {}),
    "a name that is not used": put_if("attribute_exists(pk)", ExpressionAttributeNames={"#a": "a"}),
    "a name that is not there": put_if("attribute_exists(#a)"),
    "a name for a reserved word": put_if(
        "attribute_not_exists(#a)", ExpressionAttributeNames={"#a": "name"}
    ),
    "names without an expression": write(put(key(), ExpressionAttributeNames={"#a": "a"})),
    "values without an expression": write(put(key(), ExpressionAttributeValues=ONE)),
    "a reserved word": put_if("name = :a", ONE),
    "an empty condition": put_if(""),
    "a comparison without its end": put_if("x = :a AND", ONE),
    "two comparators": put_if("x = = :a", ONE),
    "a letter that is none": put_if("x ! :a", ONE),
    "an unknown function": put_if("nope(x)"),
    "a function in capitals": put_if("Attribute_exists(pk)"),
    "keywords in small letters": put_if("attribute_exists(pk) and not attribute_exists(q)"),
    "a function of too many": put_if("attribute_exists(pk, sk)"),
    "a function of a value": put_if("attribute_exists(:a)", ONE),
    "an attribute against itself": put_if("pk = pk"),
    "contains itself": put_if("contains(x, x)"),
    "parentheses": put_if("(attribute_exists(pk)) AND (attribute_exists(sk))"),
    "parentheses around parentheses": put_if("((attribute_exists(pk)))"),
    "between in the wrong order": put_if("n BETWEEN :b AND :a", ONE | {":b": number(2)}),
    "between two types": put_if("n BETWEEN :a AND :b", ONE | {":b": text("2")}),
    "less than a boolean": put_if("x < :a", {":a": {"BOOL": True}}),
    "begins with a number": put_if("begins_with(x, :a)", ONE),
    "a type that is none": put_if("attribute_type(x, :a)", {":a": text("Q")}),
    "a type that it has": put_if("attribute_type(x, :a)", {":a": text("S")}),
    "a value that is no number": put_if("x = :a", {":a": number("z")}),
    "a value's name without a colon": put_if("x = :a", {"a": number(1)}),
    "a missing attribute is not equal": put_if("nope <> :a", ONE),
    "a missing attribute is equal": put_if("nope = :a", ONE),
    "not: a missing attribute is equal": put_if("NOT nope = :a", ONE),
    "not: a missing attribute is less": put_if("NOT nope < :a", ONE),
    "equal in another spelling": put_if("n = :a", {":a": number("1.0")}),
    "less than another type": put_if("n < :a", TEXT),
    "in a list": put_if("x IN (:b, :a)", TEXT | {":b": text("y")}),
    "between": put_if("n BETWEEN :b AND :a", ONE | {":b": number("0.5")}),
    "a part of a document": put_if("m.l[0] = :a", TEXT),
    "the size": put_if("size(x) = :a", ONE),
    "the size of a number": put_if("size(n) >= :a", {":a": number(0)}),
    "the size of nothing": put_if("size(nope) > :a", ONE),
    "a number that begins with a letter": put_if("NOT begins_with(n, :a)", TEXT),
    "begins with": put_if("begins_with(x, :a) AND contains(x, :b)", TEXT | {":b": text("")}),
    "and before or": put_if("x = :a OR x = :b AND y = :b", TEXT | {":b": text("no")}),
    "not before and": put_if("NOT y = :a AND x = :a", TEXT),
}

READS: dict[str, Request] = {
    "get": get(),
    "get of nothing": get(key("nobody")),
    "get with more than the key": get(key() | {"x": text("1")}),
    "get with half the key": get({"pk": text("a")}),
    "get with no key": get({}),
    "get with a key of another type": get({"pk": number(1), "sk": text("a")}),
    "get with an empty key": get(key("")),
    "get with a key of 2049 bytes": get(key("x" * 2049)),
    "get with a key of no type": get({"pk": {}, "sk": text("a")}),
    "get of some attributes": get(ProjectionExpression="x, pk"),
    "get of no attribute that it has": get(ProjectionExpression="nope"),
    "get of an attribute twice": get(ProjectionExpression="x, x"),
    "get of a reserved word": get(ProjectionExpression="name"),
    "get of an empty list": get(ProjectionExpression=""),
    "get with names for nothing": get(ExpressionAttributeNames={"#a": "a"}),
    "get with a name that is not used": get(
        ProjectionExpression="x", ExpressionAttributeNames={"#a": "a"}
    ),
    "get from no such table": ("get_item", {"TableName": "no-such-table", "Key": key()}),
}
