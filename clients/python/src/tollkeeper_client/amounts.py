"""Amounts as they travel: exact decimals, never a float."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from json.encoder import encode_basestring_ascii
from typing import cast

from tollkeeper_client.errors import InvalidAmountError, UnreadableAnswerError

Amount = Decimal | str | int
"""Credits or a quantity, as a caller gives them."""


def write_amount(value: object, name: str) -> str:
    """The amount as plain digits, exactly as it was given.

    Raises: InvalidAmountError for a float, a bool, or what is no finite number.
    """
    if isinstance(value, bool) or not isinstance(value, (Decimal, str, int)):
        raise InvalidAmountError(
            f"{name} must be a Decimal, a str or an int, not a {type(value).__name__}: "
            "a float is not exact"
        )
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise InvalidAmountError(f"{name} is no number: {value!r}") from None
    if not number.is_finite() or abs(number.adjusted()) > 30:
        raise InvalidAmountError(f"{name} is out of range: {value!r}")
    return format(number, "f")


def read_json(text: str | bytes) -> object:
    """The JSON with exact numbers: int or Decimal. Raises: UnreadableAnswerError."""
    try:
        return cast("object", json.loads(text, parse_float=Decimal))
    except (ValueError, RecursionError):
        raise UnreadableAnswerError("The answer is not JSON: not Tollkeeper's.") from None


def write_json(value: object) -> str:
    """The value as JSON, Decimals as exact numbers. Raises: TypeError for what JSON has not."""
    match value:
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case str():
            return encode_basestring_ascii(value)
        case int():
            return str(int(value))
        case Decimal() if value.is_finite():
            return str(value)
        case float():
            return json.dumps(value, allow_nan=False)
        case Mapping():
            members = cast("Mapping[object, object]", value).items()
            return "{" + ",".join(f"{_name(key)}:{write_json(each)}" for key, each in members) + "}"
        case list() | tuple():
            rows = cast("Sequence[object]", value)
            return "[" + ",".join(write_json(each) for each in rows) + "]"
        case _:
            raise TypeError(f"a {type(value).__name__} cannot be sent as JSON")


def _name(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError("the names of JSON members are texts")
    return encode_basestring_ascii(key)
