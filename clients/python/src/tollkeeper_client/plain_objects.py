"""Whatever a provider's SDK returns, as plain JSON values. No SDK is imported for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any, cast

DEEPEST = 12
# How the members of a usage object are named by its provider; read one by one from objects that
# say nothing about themselves, such as protocol buffers.
_KNOWN_NAMES = (
    *("prompt_tokens", "completion_tokens", "total_tokens"),
    *("prompt_tokens_details", "completion_tokens_details"),
    *("input_tokens", "output_tokens", "input_tokens_details", "output_tokens_details"),
    *("cache_creation_input_tokens", "cache_read_input_tokens", "cache_creation"),
    *("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens", "iterations"),
    *("cached_tokens", "cache_write_tokens", "reasoning_tokens", "audio_tokens"),
    *("prompt_token_count", "candidates_token_count", "thoughts_token_count"),
    *("total_token_count", "cached_content_token_count", "tool_use_prompt_token_count"),
    *("prompt_tokens_details", "candidates_tokens_details", "cache_tokens_details"),
    *("modality", "token_count", "cost"),
)


def member_of(value: object, *names: str) -> object:
    """The first of these members that the object or mapping has; None where it has none."""
    for name in names:
        if isinstance(value, Mapping):
            found = cast("Mapping[str, object]", value).get(name)
        else:
            found = _attribute(value, name)
        if found is not None and not callable(found):
            return found
    return None


def text_of(value: object, *names: str) -> str | None:
    """The first of these members, where it is a text with something in it."""
    found = member_of(value, *names)
    if isinstance(found, Enum):
        found = found.value
    return found if isinstance(found, str) and found else None


def to_plain(value: object, depth: int = DEEPEST) -> object:
    """The value as JSON has it; None for what JSON cannot have.

    Why: members that cannot be shown are never what a call is charged by.
    """
    if value is None or isinstance(value, (bool, str, Decimal)):
        return value
    if isinstance(value, Enum):
        return value.value if isinstance(value.value, str) else value.name
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return value if value - value == 0 else None
    if depth == 0:
        return None
    if isinstance(value, (list, tuple)):
        return [to_plain(each, depth - 1) for each in cast("list[object]", value)]
    members = to_members(value)
    if members is None:
        return _plain_rows(value, depth)
    return {name: to_plain(each, depth - 1) for name, each in members.items() if each is not None}


def _plain_rows(value: object, depth: int) -> object:
    """Rows of a list that is none of Python's, as protocol buffers have them."""
    if hasattr(value, "__len__") and hasattr(value, "__getitem__"):
        return [to_plain(each, depth - 1) for each in cast("list[object]", value)]
    return None


def to_members(value: object) -> Mapping[str, object] | None:
    """The object's members by the provider's names; None where it has none."""
    if isinstance(value, Mapping):
        named = cast("Mapping[object, object]", value).items()
        return {name: each for name, each in named if isinstance(name, str)}
    for read in (_dumped, _shown, _named):
        members = read(value)
        if members:
            return members
    return None


def _dumped(value: object) -> Mapping[str, object] | None:
    """What pydantic says of the object, by alias: `promptTokenCount`, as it was on the wire."""
    dump = _attribute(value, "model_dump")
    if not callable(dump):
        return None
    for options in ({"mode": "json", "by_alias": True, "warnings": False}, {}):
        members = _called(dump, options)
        if members is not None:
            return members
    return None


def _shown(value: object) -> Mapping[str, object] | None:
    show = _attribute(value, "to_dict")
    return _called(show, {}) if callable(show) else None


def _called(read: Callable[..., Any], options: Mapping[str, object]) -> Mapping[str, object] | None:
    """What the SDK's own method says; None where it has other arguments or fails.

    Why: the call at the provider is done, and nothing in its SDK may keep it from being charged.
    """
    try:
        members: object = read(**options)
    except Exception:  # noqa: BLE001 - another package's method; the next way to read is tried.
        return None
    return cast("Mapping[str, object]", members) if isinstance(members, Mapping) else None


def _named(value: object) -> Mapping[str, object] | None:
    """Members that can be read one by one: known counts, or whatever the object keeps."""
    known = {name: _attribute(value, name) for name in _KNOWN_NAMES}
    found = {name: each for name, each in known.items() if each is not None and not callable(each)}
    if found:
        return found
    kept = getattr(value, "__dict__", None)
    if not isinstance(kept, dict):
        return None
    members = cast("dict[str, object]", kept).items()
    return {name: each for name, each in members if not name.startswith("_")}


def _attribute(value: object, name: str) -> object:
    try:
        return getattr(value, name, None)
    except Exception:  # noqa: BLE001 - a property of another package; it counts as absent.
        return None
