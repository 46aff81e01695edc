"""Attribute values: which are valid, how large they are, and which goes first.

Shape: a value is the low-level client's, `{"S": "text"}`. One that was read here is a copy with
its numbers in DynamoDB's one spelling, so equal values are equal dictionaries.
Source: the developer guide's pages on data types, on item sizes and on limits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, localcontext
from typing import Any

from simulation.store.errors import InvalidError, UnsupportedError

Value = dict[str, Any]
LARGEST_ITEM_BYTES = 400 * 1024
MOST_DIGITS = 38
MOST_NESTED = 32
LARGEST_EXPONENT = 125
SMALLEST_EXPONENT = -130
COLLECTION_BYTES = 3
ELEMENT_BYTES = 1
SET_NAMES = {"SS": "string", "NS": "number", "BS": "binary"}
SETS = {"SS": "S", "NS": "N", "BS": "B"}
# The types that have an order, so that they may be keys and stand at both sides of `<`.
ORDERED = frozenset("SNB")

_PLAIN = re.compile(r"0|-?[1-9][0-9]{0,37}").fullmatch
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?").fullmatch


class Image(dict[str, Any]):
    """An item as it was committed. It is never changed; `size` is its bytes."""

    __slots__ = ("size",)
    size: int


def read_number(text: Any) -> str:
    """The number as DynamoDB gives it back: no exponent and no zeros that say nothing.

    Raises: InvalidError where it is none, or more than 38 digits or its range would hold.
    """
    if not isinstance(text, str):
        raise UnsupportedError("a number is sent as a string")
    if _PLAIN(text):
        return text
    if not _NUMBER(text):
        raise InvalidError(
            "The parameter cannot be converted to a numeric value" + (f": {text}" if text else "")
        )
    with localcontext() as context:
        context.prec = max(1, len(text))
        context.Emax, context.Emin = 10**9, -(10**9)
        number = Decimal(text).normalize()
    if not number:
        return "0"
    if number.adjusted() > LARGEST_EXPONENT:
        raise InvalidError(
            "Number overflow. Attempting to store a number with magnitude larger than "
            "supported range"
        )
    if number.adjusted() < SMALLEST_EXPONENT:
        raise InvalidError(
            "Number underflow. Attempting to store a number with magnitude smaller than "
            "supported range"
        )
    if len(number.as_tuple().digits) > MOST_DIGITS:
        raise InvalidError("Attempting to store more than 38 significant digits in a Number")
    return format(number, "f")


def number_bytes(text: str) -> int:
    """The bytes of a number in its one spelling.

    One, one for each two digits before the point and one for each two behind it, zeros at the
    ends not counted, and one for a minus. Source: what paritysuite/dynamodb-conformance measured
    on AWS; the developer guide says about one byte for two digits and one more.
    """
    whole, _, part = text.lstrip("-").partition(".")
    if not part:
        whole = whole.rstrip("0")
    elif whole == "0":
        whole, part = "", part.lstrip("0")
    return 1 + (len(whole) + 1) // 2 + (len(part) + 1) // 2 + text.startswith("-")


def text_bytes(text: str) -> int:
    """The bytes of the text in UTF-8."""
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError as error:
        raise UnsupportedError("half a surrogate pair is no text") from error


def read_value(value: Any, depth: int = 0) -> tuple[Value, int]:
    """The value in its one spelling, and its bytes.

    Raises: InvalidError where it is not one value of one type that DynamoDB has.
    """
    if not isinstance(value, Mapping) or len(value) != 1:  # pyright: ignore[reportUnknownArgumentType]
        raise InvalidError(
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
            if not value
            else "Supplied AttributeValue has more than one datatypes set, must contain exactly "
            "one of the supported datatypes"
        )
    ((kind, content),) = value.items()  # pyright: ignore[reportUnknownVariableType]
    if kind == "S":
        if not isinstance(content, str):
            raise UnsupportedError("a string is a str")
        return {"S": content}, len(content) if content.isascii() else text_bytes(content)
    if kind == "N":
        number = read_number(content)
        return {"N": number}, number_bytes(number)
    if kind == "B":
        raw = read_binary(content)
        return {"B": raw}, len(raw)
    return _read_other(str(kind), content, depth)  # pyright: ignore[reportUnknownArgumentType]


def read_binary(content: Any) -> bytes:
    """The bytes. Why: the client takes several types and gives back one."""
    if isinstance(content, bytes | bytearray):
        return bytes(content)
    raise UnsupportedError("binary is bytes")


def _read_other(kind: str, content: Any, depth: int) -> tuple[Value, int]:
    if kind == "BOOL":
        if not isinstance(content, bool):
            raise UnsupportedError("a boolean is a bool")
        return {"BOOL": content}, 1
    if kind == "NULL":
        # Why: AWS takes false too, and gives back true.
        return {"NULL": True}, 1
    if depth >= MOST_NESTED:
        raise InvalidError("Nesting Levels have exceeded supported limits")
    if kind == "L":
        parts = [read_value(part, depth + 1) for part in content]
        size = COLLECTION_BYTES + sum(part[1] + ELEMENT_BYTES for part in parts)
        return {"L": [part[0] for part in parts]}, size
    if kind == "M":
        members = {name: read_value(part, depth + 1) for name, part in content.items()}
        sizes = (text_bytes(name) + part[1] + ELEMENT_BYTES for name, part in members.items())
        return {"M": {name: part[0] for name, part in members.items()}}, COLLECTION_BYTES + sum(
            sizes
        )
    if kind in SETS:
        return _read_set(kind, list(content))
    raise UnsupportedError(f"there is no type {kind}")


def _read_set(kind: str, members: list[Any]) -> tuple[Value, int]:
    """The set, its members in their order. Why: DynamoDB keeps no order and compares by members."""
    prefix = "One or more parameter values were invalid: "
    if not members:
        raise InvalidError(prefix + f"An {SET_NAMES[kind]} set  may not be empty")
    read = [read_value({SETS[kind]: member}) for member in members]
    contents = [next(iter(value.values())) for value, _ in read]
    if len(set(contents)) != len(contents):
        raise InvalidError(
            prefix + f"Input collection [{', '.join(map(str, members))}] contains duplicates."
        )
    contents.sort(key=lambda content: order_of(SETS[kind], content))
    return {kind: contents}, sum(size for _, size in read)


def read_item(item: Mapping[str, Any]) -> Image:
    """The item as it would be stored, with its size. Raises: InvalidError.

    Why: this is most of a write's work, so the two common types are read here, and all texts
    are measured at once.
    """
    image = Image()
    texts = list(item)
    size = 0
    for name, value in item.items():
        kind: Any = None
        content: Any = None
        if len(value) == 1:
            ((kind, content),) = value.items()
        if kind == "S" and content.__class__ is str:
            image[name] = {"S": content}
            texts.append(content)
        elif kind == "N" and content.__class__ is str and _PLAIN(content):
            image[name] = {"N": content}
            size += (len(content.strip("-0")) + 1) // 2 + 1 + (content[0] == "-")
        else:
            image[name], bytes_ = read_value(value)
            size += bytes_
    size += text_bytes("".join(texts))
    if size > LARGEST_ITEM_BYTES:
        raise InvalidError("Item size has exceeded the maximum allowed size")
    image.size = size
    return image


def item_bytes(item: Mapping[str, Any]) -> int:
    """The bytes of a part of an image."""
    return sum(text_bytes(name) + read_value(value)[1] for name, value in item.items())


def order_of(kind: str, content: Any) -> Any:
    """What compares as DynamoDB orders values of that type.

    Why: strings go by their UTF-8 bytes, and that is the order of code points, which is Python's.
    """
    if kind == "N":
        return Decimal(content) if "." in content else int(content)
    return content
