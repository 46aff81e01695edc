"""Queries and short stories, each with a name, that show how an engine answers."""

from __future__ import annotations

from typing import Any

from tests.conformance.cases import (
    CONDITIONS,
    NEW,
    ONE,
    READS,
    TRANSACTIONS,
    VALUES,
    Request,
    delete,
    key,
    number,
    of_a,
    put,
    query,
    text,
    write,
)
from tests.conformance.engines import TABLE

NUMBERS: dict[str, Any] = {"IndexName": "by_number"}
BELOW = {":b": text("2")}

PAGES: dict[str, Request] = {
    "query": of_a(),
    "query downwards": of_a(ScanIndexForward=False),
    "query of nothing": query("pk = :a", {":a": text("nobody")}, Limit=1),
    "query up to the last item": of_a(Limit=3),
    "query past the last item": of_a(Limit=4),
    "query of no items": of_a(Limit=0),
    "query from the last item": of_a(ExclusiveStartKey=key("a", "3")),
    "query downwards from the last item": of_a(
        ExclusiveStartKey=key("a", "3"), ScanIndexForward=False, Limit=1
    ),
    "query from an item that is gone": of_a(ExclusiveStartKey=key("a", "15")),
    "query from another partition": of_a(ExclusiveStartKey=key("b", "1")),
    "query from outside its range": of_a(" AND sk < :b", BELOW, ExclusiveStartKey=key("a", "9")),
    "query from before its range": of_a(" AND sk > :b", BELOW, ExclusiveStartKey=key("a", "1")),
    "query from more than a key": of_a(ExclusiveStartKey=key() | {"x": text("1")}),
    "query from half a key": of_a(ExclusiveStartKey={"pk": text("a")}),
    "query from a key of another type": of_a(ExclusiveStartKey={"pk": text("a"), "sk": number(1)}),
    "count": of_a(Select="COUNT"),
    "filter": of_a(FilterExpression="n > :b", values={":b": number(1)}),
    "filter and limit": of_a(FilterExpression="n > :b", values={":b": number(1)}, Limit=1),
    "filter on the key": of_a(FilterExpression="sk > :b", values=BELOW),
    "query from no such table": (
        "query",
        {
            "TableName": "no-such-table",
            "KeyConditionExpression": "pk = :a",
            "ExpressionAttributeValues": {":a": text("a")},
        },
    ),
}

RANGES: dict[str, Request] = {
    "one item": of_a(" AND sk = :b", BELOW),
    "one item and a limit": of_a(" AND sk = :b", BELOW, Limit=1),
    "less": of_a(" AND sk < :b", BELOW),
    "less or equal": of_a(" AND sk <= :b", BELOW),
    "more": of_a(" AND sk > :b", BELOW),
    "more or equal": of_a(" AND sk >= :b", BELOW),
    "a range": of_a(" AND sk BETWEEN :b AND :c", BELOW | {":c": text("3")}),
    "a range in the wrong order": of_a(" AND sk BETWEEN :b AND :c", BELOW | {":c": text("1")}),
    "a beginning": of_a(" AND begins_with(sk, :b)", BELOW),
    "an empty beginning": of_a(" AND begins_with(sk, :b)", {":b": text("")}),
    "the range first": query("sk > :b AND pk = :a", {":a": text("a"), ":b": text("1")}),
    "the value first": of_a(" AND :b < sk", BELOW),
    "everything in parentheses": query("(pk = :a) AND (sk > :b)", {":a": text("a"), **BELOW}),
    "either": query("pk = :a OR pk = :b", {":a": text("a"), ":b": text("b")}),
    "not a range": of_a(" AND NOT sk = :b", BELOW),
    "not equal": of_a(" AND sk <> :b", BELOW),
    "one of these": of_a(" AND sk IN (:b)", BELOW),
    "contains": of_a(" AND contains(sk, :b)", BELOW),
    "three conditions": of_a(" AND sk > :b AND sk < :c", BELOW | {":c": text("3")}),
    "another attribute": of_a(" AND x = :b", BELOW),
    "a part of the key": of_a(" AND sk.part = :b", BELOW),
    "no partition": query("sk = :b", BELOW),
    "many partitions": query("pk > :b", BELOW),
    "partitions that begin so": query("begins_with(pk, :b)", BELOW),
    "a partition of another type": query("pk = :a", {":a": number(1)}),
    "a range of another type": of_a(" AND sk > :b", {":b": number(1)}),
    "an empty partition key": query("pk = :a", {":a": text("")}),
    "an empty sort key": of_a(" AND sk > :b", {":b": text("")}),
    "a value too many": of_a(values=BELOW),
    "a value too few": of_a(" AND sk = :b"),
    "no condition": ("query", {"TableName": TABLE}),
    "a condition of no letters": query("", {":a": text("a")}),
}

INDEXES: dict[str, Request] = {
    "index with some attributes": of_a(**NUMBERS),
    "index with its keys": query("s = :a", {":a": text("g")}, IndexName="by_string"),
    "index with all attributes": query("s = :a", {":a": text("g")}, IndexName="by_binary"),
    "index filtered by what it has not": query(
        "s = :a", {":a": text("g")}, IndexName="by_string", FilterExpression="attribute_exists(x)"
    ),
    "index downwards": of_a(ScanIndexForward=False, **NUMBERS),
    "index by a number in other spelling": of_a(" AND n = :b", {":b": number("25e-1")}, **NUMBERS),
    "index page": of_a(Limit=1, **NUMBERS),
    "index from its first": of_a(ExclusiveStartKey=key("a", "1") | {"n": number(1)}, **NUMBERS),
    "index from an item that is gone": of_a(
        ExclusiveStartKey=key("a", "7") | {"n": number(2)}, **NUMBERS
    ),
    "index downwards from its last": of_a(
        ExclusiveStartKey=key("a", "2") | {"n": number("2.5")}, ScanIndexForward=False, **NUMBERS
    ),
    "index from half a key": of_a(ExclusiveStartKey=key("a", "1"), **NUMBERS),
    "index read strongly": of_a(ConsistentRead=True, **NUMBERS),
    "index that is not there": of_a(IndexName="by_nothing"),
    "index by the beginning of a number": of_a(
        " AND begins_with(n, :b)", {":b": number(1)}, **NUMBERS
    ),
}

HELLO = put(key("t") | {"x": number("1.0")})


def token(number: int) -> dict[str, Any]:
    """A token of the story's own: engines keep them longer than a case takes."""
    return {"ClientRequestToken": f"token-{number}"}


STORIES: dict[str, list[Request]] = {
    "a token again": [write(HELLO, **token(1)), write(delete(key("t"))), write(HELLO, **token(1))],
    "a token again in other spelling": [
        write(HELLO, **token(2)),
        write(put({"x": number("1.0"), **key("t")}), **token(2)),
    ],
    "a token for another write": [write(HELLO, **token(3)), write(put(key("t")), **token(3))],
    "a token of a cancelled write": [
        write(put(key(), ConditionExpression=NEW), **token(4)),
        write(delete(key())),
        write(put(key(), ConditionExpression=NEW), **token(4)),
    ],
    "a token of a refused write": [write(put(key("")), **token(5)), write(HELLO, **token(5))],
    "true against one": [
        write(put(key("t") | {"x": {"BOOL": True}})),
        write(put(key("t"), ConditionExpression="x = :a", ExpressionAttributeValues=ONE)),
    ],
    "an item that leaves an index": [write(put(key())), of_a(**NUMBERS)],
    "an item that moves in an index": [
        write(put(key() | {"n": number(7), "s": text("g")})),
        of_a(**NUMBERS),
        query("s = :a", {":a": text("g")}, IndexName="by_string"),
    ],
    "an item that is deleted leaves its indexes": [
        write(delete(key("a", "2"))),
        query("s = :a", {":a": text("g")}, IndexName="by_binary"),
    ],
}

SINGLE = VALUES | TRANSACTIONS | CONDITIONS | READS | PAGES | RANGES | INDEXES
CASES: dict[str, list[Request]] = {name: [case] for name, case in SINGLE.items()} | STORIES
