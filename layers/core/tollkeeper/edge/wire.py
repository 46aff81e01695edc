"""JSON at the border: read strictly from the raw bytes, written without a float."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from json.encoder import encode_basestring_ascii
from typing import Any, NoReturn, cast

from tollkeeper.domain.errors import MalformedError, TooLargeError
from tollkeeper.domain.money import show_micro

LARGEST_BODY_BYTES = 64 * 1024
DEEPEST = 32
LONGEST_NUMBER = 100
HASH_VERSION = "1"
# Why: they differ between two tries of one run, and change nothing that is charged.
NOT_HASHED = frozenset({"response_time_ms", "metadata"})


@dataclass(frozen=True, slots=True)
class Amount:
    """Micro-units that are shown as a JSON number with at most six decimals."""

    micro: int


def read_json(raw: bytes, *, largest_bytes: int = LARGEST_BODY_BYTES) -> dict[str, Any]:
    """The body's object, numbers exact (int or Decimal), members unique, depth bounded.

    Raises: TooLargeError above the bound; MalformedError for whatever is no such object.
    """
    if len(raw) > largest_bytes:
        raise TooLargeError(f"The body has {len(raw)} bytes; at most {largest_bytes} fit.")
    try:
        text = raw.decode("utf-8")
        value = json.loads(
            text,
            parse_float=_read_decimal,
            parse_int=_read_int,
            parse_constant=_refuse_constant,
            object_pairs_hook=_read_members,
        )
        if "\\u" in text:
            # Half a pair of surrogates comes from an escape alone, and no item can hold it.
            json.dumps(value, default=str, ensure_ascii=False).encode("utf-8")
    except UnicodeError:
        raise MalformedError("The body is not valid UTF-8.") from None
    except RecursionError:
        raise MalformedError(f"The body is nested deeper than {DEEPEST} levels.") from None
    except ValueError as error:
        raise MalformedError(f"The body is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise MalformedError("The body must be a JSON object.")
    _refuse_depth(cast("object", value), DEEPEST)
    return cast("dict[str, Any]", value)


def _read_decimal(text: str) -> Decimal:
    if len(text) > LONGEST_NUMBER:
        raise MalformedError("The body has a number of more than 100 digits.")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise MalformedError("The body has a number that is out of any range.") from None


def _read_int(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise MalformedError("The body has a number of more than 100 digits.")
    return int(text)


def _refuse_constant(text: str) -> NoReturn:
    raise MalformedError(f"The body has {text}, which is not JSON.")


def _read_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise MalformedError(f"The body has the member {name[:64]!r} twice.")
            seen.add(name)
    return members


def _refuse_depth(value: object, left: int) -> None:
    if left == 0:
        raise MalformedError(f"The body is nested deeper than {DEEPEST} levels.")
    if isinstance(value, dict):
        for member in cast("dict[str, object]", value).values():
            _refuse_depth(member, left - 1)
    elif isinstance(value, list):
        for member in cast("list[object]", value):
            _refuse_depth(member, left - 1)


def write_json(value: object) -> str:
    """The value as JSON; amounts and decimals are exact numbers, never floats."""
    parts: list[str] = []
    _write(value, parts)
    return "".join(parts)


def _write(value: object, parts: list[str]) -> None:
    match value:
        case None | bool():
            parts.append({None: "null", True: "true", False: "false"}[value])
        case str():
            parts.append(encode_basestring_ascii(value))
        case int():
            parts.append(str(int(value)))
        case Amount(micro):
            parts.append(show_micro(micro))
        case Decimal():
            parts.append(_plain_decimal(value))
        case dict():
            _write_object(cast("Mapping[str, object]", value), parts)
        case list() | tuple():
            _write_list(list(cast("list[object]", value)), parts)
        case _:
            raise TypeError(f"{type(value).__name__} has no place in an answer")


def _plain_decimal(value: Decimal) -> str:
    text = str(value)
    return text if value.is_finite() else "null"


def _write_object(members: Mapping[str, object], parts: list[str]) -> None:
    separator = "{"
    for name, member in members.items():
        parts.append(separator)
        parts.append(encode_basestring_ascii(name))
        parts.append(":")
        _write(member, parts)
        separator = ","
    parts.append("}" if members else "{}")


def _write_list(members: list[object], parts: list[str]) -> None:
    separator = "["
    for member in members:
        parts.append(separator)
        _write(member, parts)
        separator = ","
    parts.append("]" if members else "[]")


def hash_request(route: str, account: str, members: Mapping[str, Any]) -> str:
    """The digest that tells one request from another under the same key, with its version.

    Why: members that only describe the try are left out; equal numbers have one form.
    """
    sent = {name: member for name, member in members.items() if name not in NOT_HASHED}
    text = json.dumps(
        [route, account, sent], sort_keys=True, separators=(",", ":"), default=_canonical_number
    )
    digest = hashlib.sha256(text.encode()).digest()
    return f"{HASH_VERSION}:{base64.urlsafe_b64encode(digest[:18]).decode()}"


def _canonical_number(value: object) -> int | str:
    """A whole number as one; else the plain decimal, or digits and exponent where it is long.

    Why: arithmetic on Decimals rounds, and 1e900000 written out would fill the memory.
    """
    assert isinstance(value, Decimal), "only decimals need a form of their own"
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int), "a body has finite numbers only"
    text = "".join(map(str, digits)).lstrip("0")
    significant = text.rstrip("0")
    exponent += len(text) - len(significant)
    if not significant:
        return 0
    minus = "-" if sign else ""
    if 0 <= exponent <= LONGEST_NUMBER:
        return int(minus + significant + "0" * exponent)
    if -LONGEST_NUMBER <= exponent < 0:
        padded = significant.rjust(1 - exponent, "0")
        return f"{minus}{padded[:exponent]}.{padded[exponent:]}"
    return f"{minus}{significant}e{exponent}"
