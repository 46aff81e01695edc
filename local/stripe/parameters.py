"""Parameters as the SDK sends them: a form with brackets, read by what a call takes.

Shape: a spec is TEXT, WHOLE, FLAG, MAP (texts by name), a tuple of words, a list of one spec, or a
dict of specs by name; a name that ends with "!" must be there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qsl

from local.stripe.refusals import StripeRefusedError, invalid
from local.stripe.state import Object

TEXT, WHOLE, FLAG, MAP = "text", "whole", "flag", "map"
Spec = str | tuple[str, ...] | list[Any] | Mapping[str, Any]

MOST_METADATA = 50
LONGEST_NAME = 40
LONGEST_VALUE = 500
LONGEST_TEXT = 5000
DEEPEST = 8

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")


def read_form(text: str) -> Object:
    """The form's fields, nested by their brackets; lists are still mappings by place.

    Raises: StripeRefusedError for a name that is none, or stands for two different things.
    """
    found: Object = {}
    for name, value in parse_qsl(text, keep_blank_values=True, errors="replace"):
        match = _NAME.fullmatch(name)
        parts = [] if match is None else [match.group(1), *_PART.findall(match.group(2))]
        if not 0 < len(parts) <= DEEPEST:
            raise invalid(f"Invalid parameter name: {name}", param=name)
        place = found
        for part in parts[:-1]:
            inside: object = place.setdefault(part, {})
            if not isinstance(inside, dict):
                raise invalid(f"Invalid object: {name}", param=name)
            place = cast("Object", inside)
        last = parts[-1] or str(len(place))
        if last in place:
            raise invalid(f"Received the parameter {name} twice", param=name)
        place[last] = value
    return found


def read_parameters(form: Object, spec: Mapping[str, Any]) -> Object:
    """The parameters with their types. Raises: StripeRefusedError for the first that is wrong."""
    return cast("Object", _read(form, spec, name=""))


def _read(value: object, spec: Spec, *, name: str) -> object:
    if isinstance(spec, Mapping):
        return _read_members(_as_object(value, name), spec, name=name)
    if isinstance(spec, list):
        return _read_items(value, cast("list[Spec]", spec), name=name)
    if spec == MAP:
        return _read_map(_as_object(value, name), name=name)
    if not isinstance(value, str):
        raise invalid(f"Invalid string: {name}", param=name)
    if isinstance(spec, tuple):
        if value not in spec:
            words = ", ".join(spec)
            raise invalid(f"Invalid {name}: must be one of {words}", param=name)
        return value
    return _read_text(value, spec, name=name)


def _read_text(text: str, spec: str, *, name: str) -> object:
    if spec == WHOLE:
        if re.fullmatch(r"-?[0-9]{1,15}", text, re.ASCII) is None:
            raise invalid(f"Invalid integer: {text}", param=name, code="parameter_invalid_integer")
        return int(text)
    if spec == FLAG:
        if text not in ("true", "false"):
            raise invalid(f"Invalid boolean: {text}", param=name)
        return text == "true"
    if not text:
        message = f"You passed an empty string for '{name}'."
        raise invalid(message, param=name, code="parameter_invalid_empty")
    if len(text) > LONGEST_TEXT:
        raise invalid(f"Invalid string: {name} is too long", param=name)
    return text


def _read_members(value: Object, spec: Mapping[str, Any], *, name: str) -> Object:
    inner = {each.removesuffix("!"): (each.endswith("!"), spec[each]) for each in spec}
    for each in value:
        if each not in inner:
            raise unknown(f"{name}[{each}]" if name else each)
    read: Object = {}
    for each, (is_needed, each_spec) in inner.items():
        path = f"{name}[{each}]" if name else each
        if each in value:
            read[each] = _read(value[each], each_spec, name=path)
        elif is_needed:
            message = f"Missing required param: {path}."
            raise invalid(message, param=path, code="parameter_missing")
    return read


def _read_items(value: object, spec: list[Spec], *, name: str) -> list[object]:
    items = _as_object(value, name)
    if sorted(items) != sorted(str(place) for place in range(len(items))):
        raise invalid(f"Invalid array: {name}", param=name)
    ordered = sorted(items.items(), key=lambda item: int(item[0]))
    return [_read(each, spec[0], name=f"{name}[{place}]") for place, each in ordered]


def _read_map(value: Object, *, name: str) -> Object:
    if len(value) > MOST_METADATA:
        raise invalid(f"You may have at most {MOST_METADATA} keys in {name}.", param=name)
    for each, text in value.items():
        if not isinstance(text, str) or len(each) > LONGEST_NAME or len(text) > LONGEST_VALUE:
            raise invalid(
                f"Metadata names have up to {LONGEST_NAME} characters, values {LONGEST_VALUE}.",
                param=f"{name}[{each}]",
            )
    return dict(value)


def _as_object(value: object, name: str) -> Object:
    if not isinstance(value, dict):
        raise invalid(f"Invalid object: {name}", param=name)
    return cast("Object", value)


def unknown(name: str) -> StripeRefusedError:
    """A parameter that the call does not take."""
    message = f"Received unknown parameter: {name}"
    return invalid(message, param=name, code="parameter_unknown")
