"""How large DynamoDB takes an item to be: what its write and read units are counted by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KILOBYTE = 1024


def item_bytes(item: Mapping[str, Any]) -> int:
    """The size of an item of texts, numbers and binaries, in DynamoDB's own JSON.

    Source: DynamoDB's developer guide, "Item sizes and formats": names and texts are their UTF-8
    bytes; a number is a byte for every two significant digits, and one more.
    """
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, held),) = value.items()
    match kind:
        case "S":
            return len(str(held).encode())
        case "N":
            return number_bytes(str(held))
        case "B":
            return len(held)
        case _:
            raise AssertionError(f"no item of ours holds {kind}")


def number_bytes(text: str) -> int:
    """The size of a whole number; zeros at its end cost nothing, a minus costs a byte."""
    digits = text.lstrip("-").strip("0")
    return (len(digits) + 1) // 2 + 1 + (1 if text.startswith("-") else 0)
