"""Random operations: a seed gives the same ones on every machine.

They stay where the engines are meant to be alike; what is known to differ is left to the cases.
"""

from __future__ import annotations

from random import Random
from typing import Any

from tests.conformance.cases import (
    NEW,
    OLD,
    WRITE,
    Request,
    binary,
    check,
    delete,
    get,
    key,
    number,
    put,
    query,
    text,
)

PARTITIONS = ("a", "b")
SORTS = ("1", "10", "2", "B", "a", "é", "z", "\U0001f600", "\uffee")
NUMBERS = ("0", "1", "-1", "2.5", "10", "100", "-0.05", "1" * 38, "0.000001")
GROUPS = ("g", "h")
BYTES = (b"\0", b"\1", b"\x7f", b"\x80", b"\xff\0")
LOOSE = (text(""), text("x"), number(7), {"BOOL": True}, {"NULL": True}, {"L": [number(1)]})
# Shape: a condition, and the values that it is drawn with.
CONDITIONS = (
    (NEW, ""),
    ("attribute_exists(pk)", ""),
    ("attribute_exists(x) OR attribute_not_exists(y)", ""),
    ("n = :n", "n"),
    ("n <> :n", "n"),
    ("n < :n", "n"),
    ("n >= :n AND NOT x = :x", "nx"),
    ("n BETWEEN :n AND :m OR begins_with(w, :x)", "nmx"),
    ("x IN (:x, :n)", "nx"),
    ("contains(w, :x) OR attribute_type(x, :t)", "xt"),
    ("attribute_exists(w) AND size(w) > :n", "n"),
)
RANGES = (
    ("", ""),
    (" AND {0} = :l", "l"),
    (" AND {0} < :l", "l"),
    (" AND {0} <= :l", "l"),
    (" AND {0} > :l", "l"),
    (" AND {0} >= :l", "l"),
    (" AND {0} BETWEEN :l AND :h", "lh"),
)


class Drawer:
    """Draws requests. `last` is the last query with the key that its page ended at."""

    def __init__(self, seed: int, *, has_tokens: bool = True) -> None:
        self.random = Random(seed)
        self.seed = seed
        self.last: tuple[dict[str, Any], dict[str, Any]] | None = None
        self._has_tokens = has_tokens
        self._written: list[dict[str, Any]] = []

    def request(self) -> Request:
        """The next request."""
        kind = self.random.choices(("write", "get", "query", "more"), (5, 2, 4, 2))[0]
        if kind == "write":
            return WRITE, self._write()
        if kind == "get":
            more = self.random.choice(({}, {}, {"ProjectionExpression": "sk, x, n"}))
            return get(self._key(), ConsistentRead=self.random.random() < 0.5, **more)
        if kind == "more" and self.last is not None:
            asked, end = self.last
            return "query", {**asked, "ExclusiveStartKey": end}
        return self._query()

    def saw(self, request: Request, answer: dict[str, Any]) -> None:
        """The next page may be asked for, where there is one."""
        if request[0] == "query":
            end = answer.get("LastEvaluatedKey")
            self.last = None if end is None else (request[1], end)

    def _key(self) -> dict[str, Any]:
        return key(self.random.choice(PARTITIONS), self.random.choice(SORTS))

    def _item(self) -> dict[str, Any]:
        item = self._key()
        for name, value in (
            ("n", number(self.random.choice(NUMBERS))),
            ("s", text(self.random.choice(GROUPS))),
            ("b", binary(self.random.choice(BYTES))),
            ("w", text(self.random.choice(("x", "xx", "ax", "é")))),
            ("x", self.random.choice(LOOSE[:3])),
            ("y", self.random.choice(LOOSE)),
            ("z", self.random.choice(LOOSE)),
        ):
            if self.random.random() < 0.6:
                item[name] = value
        return item

    def _write(self) -> dict[str, Any]:
        if self._written and self.random.random() < 0.15:
            return self._again()
        slots: dict[tuple[str, str], dict[str, Any]] = {}
        for _ in range(self.random.choice((1, 1, 2, 2, 3, 5))):
            place, slot = self._slot()
            slots[(place["pk"]["S"], place["sk"]["S"])] = slot
        request: dict[str, Any] = {"TransactItems": list(slots.values())}
        if self._has_tokens and self.random.random() < 0.4:
            request["ClientRequestToken"] = f"{self.seed}-{len(self._written)}"
            self._written.append(request)
        return request

    def _again(self) -> dict[str, Any]:
        """A write that was sent before, or another one with its token."""
        before = self.random.choice(self._written)
        if self.random.random() < 0.7:
            return before
        return {**before, "TransactItems": [put(key("a", "1") | {"x": text("another")})]}

    def _slot(self) -> tuple[dict[str, Any], dict[str, Any]]:
        kind = self.random.choices((put, delete, check), (6, 1, 1))[0]
        item = self._item() if kind is put else self._key()
        more: dict[str, Any] = {}
        if kind is check or self.random.random() < 0.7:
            condition, names = self.random.choice(CONDITIONS)
            more["ConditionExpression"] = condition
            if names:
                more["ExpressionAttributeValues"] = self._values(names)
            if self.random.random() < 0.5:
                more |= OLD
        return {"pk": item["pk"], "sk": item["sk"]}, kind(item, **more)

    def _values(self, names: str) -> dict[str, Any]:
        low, high = sorted(self.random.sample(NUMBERS, 2), key=float)
        made = {"n": number(low), "m": number(high), "x": text("x"), "t": text("L")}
        return {f":{name}": made[name] for name in names}

    def _query(self) -> Request:
        index = self.random.choice((None, None, "by_number", "by_string", "by_binary"))
        pk, sort = {"by_number": ("pk", "n"), "by_string": ("s", "n"), "by_binary": ("s", "b")}.get(
            index or "", ("pk", "sk")
        )
        condition, names = self.random.choice(RANGES)
        bounds = self._bounds(sort)
        values = {f":{name}": bounds[name] for name in names}
        values[":p"] = text(self.random.choice(PARTITIONS if pk == "pk" else GROUPS))
        more: dict[str, Any] = {"ScanIndexForward": self.random.random() < 0.6}
        if index is not None:
            more["IndexName"] = index
        if self.random.random() < 0.6:
            more["Limit"] = self.random.choice((1, 2, 3, 50))
        if self.random.random() < 0.15:
            more["Select"] = "COUNT"
        if index != "by_string" and self.random.random() < 0.15:
            more["FilterExpression"] = "attribute_exists(x)"
        return query(f"{pk} = :p" + condition.format(sort), values, **more)

    def _bounds(self, sort: str) -> dict[str, Any]:
        if sort == "n":
            low, high = sorted(self.random.sample(NUMBERS, 2), key=float)
            return {"l": number(low), "h": number(high)}
        if sort == "b":
            first, last = sorted(self.random.sample(BYTES, 2))
            return {"l": binary(first), "h": binary(last)}
        start, end = sorted(self.random.sample(SORTS, 2))
        return {"l": text(start), "h": text(end)}
