"""How a good body is spoilt: in its bytes, in its structure, in its values."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, cast

from tests.support.hostile import BAD, NOT_NUMBERS

LONG = 66_000
DEEP = 10_000


@dataclass(frozen=True, slots=True)
class Raw:
    """A piece of text that stands in a body as it is, JSON or not."""

    text: str


Members = list[tuple[Any, Any]]


@dataclass(slots=True)
class Object:
    """An object as it is written: in order, with members that may be there twice."""

    members: Members


UNICODE = (
    r'"\ud800"',
    r'"\udfff\ud800"',
    r'"a\u0000b"',
    r'"\u202euser_1"',
    r'"\u200b"',
    '"\u202e"',
    '"\u2028\u2029"',
    '"\ufeffuser_1"',
    '"\U0001f4b0\U0001f4b0"',
    '"Z\u0351\u036b\u0343\u036a"',
    '"user_１"',
    '"ｕser_1"',
    r'"\u0061dmin"',
    r'"\x41"',
    r'"\u00"',
    '"\x00"',
    '"\x1b[2J"',
    '"\t"',
    r'"\/"',
)
INJECTIONS = (
    '"user_1#A"',
    '"A#user_1"',
    '"user_1~x"',
    '"../../poor"',
    '"user_1%00"',
    '"user_1%23E"',
    '"${jndi:ldap://x}"',
    "\"' OR '1'='1\"",
    '"<script>alert(1)</script>"',
    "\"=cmd|' /C calc'!A0\"",
    '"__proto__"',
    '"\\"}{\\"amount\\": 1"',
    '"arn:aws:dynamodb:eu-west-1:1:table/x"',
    '"poor"',
    '"frozen"',
)
NUMBERS = (
    *NOT_NUMBERS[:-1],
    "-0",
    "-0.0",
    "0e0",
    "1e0",
    "1E+2",
    "1e-6",
    "1e-7",
    "0.000001",
    "0.0000009",
    "1e308",
    "1e309",
    "-1e309",
    "1e99999999999",
    "1e-99999999999",
    "999999999.999999",
    "1000000000",
    "1000000000.000001",
    "9007199254740993",
    "9223372036854775808",
    "18446744073709551616",
    "1." + "0" * 90 + "1",
    "5e-324",
    "2.2250738585072011e-308",
    "0.1e1",
    "true1",
    "nan",
    "1,5",
    "1__0",
)
SHAPES = ("null", "true", "false", "[]", "{}", "[[]]", '[{"a": [null]}]', '""', '" "', "0", "1")
TEXTS = tuple(text for texts in BAD.values() for text in texts if len(text) < 500)
HOSTILE = (*UNICODE, *INJECTIONS, *NUMBERS, *SHAPES, *TEXTS)
NAMES = (
    *("account", "amount", "operation", "usage", "model", "reason", "key", "plan", "usage.total"),
    *("", " ", "Account", "ACCOUNT", "accoun\u0074 ", "account\u0000", "__proto__", "constructor"),
    *("total", "input", "prompt_tokens", "completion_tokens", "input_tokens", "usageMetadata"),
    *("iterations", "prompt_tokens_details", "cached_tokens", "reasoning_tokens", "a" * 200),
)
TRICKS: tuple[Callable[[bytes], bytes], ...] = (
    lambda raw: b"\xef\xbb\xbf" + raw,
    lambda raw: raw.decode("utf-8", "replace").encode("utf-16"),
    lambda raw: raw.decode("utf-8", "replace").encode("utf-32"),
    lambda raw: raw + b"\x00",
    lambda raw: b"\x00" + raw,
    lambda raw: raw + raw,
    lambda raw: raw + b" //",
    lambda raw: b"[" + raw + b"]",
    lambda raw: b" " * LONG + raw,
    lambda raw: raw[:-1] + b"," + raw[1:],
    lambda raw: raw.replace(b'"', b"'"),
    lambda raw: raw.replace(b":", b"="),
    lambda raw: b'{"a":' * DEEP + raw + b"}" * DEEP,
    lambda raw: b"[" * DEEP + raw[:0],
    lambda raw: raw[:-1] + b', "\xff\xfe": 1}',
    lambda raw: raw[:-1] + b', "\xc0\xaf": 1}',
    lambda raw: raw[:-1] + b', "\xed\xa0\x80": 1}',
    lambda raw: raw[:-1] + b', "\xf4\x90\x80\x80": 1}',
    lambda raw: raw[:0],
    lambda raw: b"account=user_1&amount=5" + raw[:0],
    lambda raw: b"\x1f\x8b\x08\x00" + raw,
)


SIGNS = b'{}[],:"\\0123456789eE+-.tfn\x00\x7f\x80\xff'


def spoil_bytes(random: Random, raw: bytes, other: bytes) -> bytes:
    """The bytes with one to four of them, or slices of them, changed."""
    if random.random() < 0.15:
        return random.choice(TRICKS)(raw)
    found = bytearray(raw)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(found) + 1)
        to = min(len(found), at + random.randint(1, 8))
        match random.randrange(8):
            case 0 if found:
                found[at % len(found)] ^= 1 << random.randrange(8)
            case 1:
                found[at:at] = random.randbytes(random.randint(1, 4))
            case 2:
                del found[at:to]
            case 3:
                del found[at:]
            case 4:
                found[at:at] = found[at:to] * random.randint(1, 3)
            case 5:
                start = random.randrange(len(other) + 1)
                found[at:to] = other[start : start + random.randint(1, 40)]
            case 6:
                found[at:to] = random.choice(HOSTILE).encode("utf-8", "surrogatepass")
            case _:
                found[at:at] = random.choice(
                    b'{}[],:"\\0123456789eE+-.tfn\x00\x7f\x80\xff'
                ).to_bytes()
    return bytes(found)


def open_up(value: object) -> object:
    """The value with its objects as they are written, ready to be spoilt."""
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value).items()
        return Object([(name, open_up(member)) for name, member in pairs])
    if isinstance(value, list):
        return [open_up(each) for each in cast("list[object]", value)]
    return value


def write(value: object) -> str:
    """The value as a text, with whatever is raw in it."""
    match value:
        case Raw(text):
            return text
        case Object(members):
            inside = ",".join(f"{write(name)}:{write(member)}" for name, member in members)
            return "{" + inside + "}"
        case list():
            return "[" + ",".join(write(each) for each in cast("list[object]", value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


Place = tuple[Any, Any]


def places(value: object, found: list[Place] | None = None) -> list[Place]:
    """Every member and element below, as its holder and its position."""
    found = [] if found is None else found
    if isinstance(value, Object):
        for at, (_, member) in enumerate(value.members):
            found.append((value, at))
            places(member, found)
    elif isinstance(value, list):
        rows = cast("list[object]", value)
        for at, each in enumerate(rows):
            found.append((rows, at))
            places(each, found)
    return found


def spoil_value(random: Random, value: object, *, times: int) -> object:
    """The value with some of its members changed, lost, doubled, renamed or buried."""
    for _ in range(times):
        found = places(value)
        if not found:
            return Raw(random.choice(HOSTILE))
        holder, at = random.choice(found)
        _spoil_place(random, holder, at, random.choice(found))
    return value


def _spoil_place(random: Random, holder: Any, at: int, other: Place) -> None:
    """One change at one place."""
    old = read_place(holder, at)
    match random.randrange(10):
        case 0 | 1 | 2:
            put_place(holder, at, Raw(random.choice(HOSTILE)))
        case 3:
            put_place(holder, at, spoil_leaf(random, old))
        case 4:
            del (holder.members if isinstance(holder, Object) else holder)[at]
        case 5 if isinstance(holder, Object):
            again = old if random.random() < 0.5 else Raw(random.choice(HOSTILE))
            holder.members.append((holder.members[at][0], again))
        case 6 if isinstance(holder, Object):
            holder.members[at] = (random.choice(NAMES), old)
        case 7:
            put_place(holder, at, bury(random, old))
        case 8:
            put_place(holder, at, Raw(write(read_place(*other))) if _is_there(other) else None)
        case _ if isinstance(holder, Object):
            holder.members.append((random.choice(NAMES), Raw(random.choice(HOSTILE))))
        case _:
            put_place(holder, at, [old, old])


def _is_there(place: Place) -> bool:
    holder, at = place
    return at < len(holder.members if isinstance(holder, Object) else holder)


def read_place(holder: Any, at: int) -> Any:
    """What stands there."""
    return holder.members[at][1] if isinstance(holder, Object) else holder[at]


def put_place(holder: Any, at: int, value: object) -> None:
    """This stands there."""
    if isinstance(holder, Object):
        holder.members[at] = (holder.members[at][0], value)
    else:
        holder[at] = value


def bury(random: Random, value: object) -> object:
    """The value below many others, or one of every length."""
    deep = random.choice((1, 2, 5, 30, 31, 32, 33, 40, 500))
    if random.random() < 0.02:
        return Raw('"' + "x" * LONG + '"')
    if random.random() < 0.5:
        return Raw("[" * deep + write(value) + "]" * deep)
    return Raw('{"usage":' * deep + write(value) + "}" * deep)


def spoil_leaf(random: Random, value: object) -> object:
    """A value near the one that was there."""
    match value:
        case bool() | None:
            return Raw(random.choice(SHAPES))
        case int() | float():
            tail = random.choice(("e1", "e9", "e400", ".0", ".0000001", "0" * 30, "e-9", "1"))
            return Raw(random.choice(("-", "", "+", "0")) + str(value) + tail)
        case str():
            return _spoil_text(random, value)
        case _:
            return Raw(random.choice(HOSTILE))


def _spoil_text(random: Random, text: str) -> object:
    at = random.randrange(len(text) + 1)
    match random.randrange(5):
        case 0:
            return text[:at] + random.choice("\x00\x7f\u202e\u0130#~/%\\\n é\U0001f600") + text[at:]
        case 1:
            return text * random.choice((2, 10, 100))
        case 2:
            return text.upper() if text.islower() else text.lower()
        case 3:
            return text[:at]
        case _:
            return random.choice(("", " ")) + text + random.choice((" ", "\n", "\u00a0"))
