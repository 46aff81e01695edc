"""What a call used, in disjoint token pools, from whatever its provider reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.usage_anthropic import read_messages
from tollkeeper.domain.usage_gemini import read_gemini
from tollkeeper.domain.usage_openai import read_chat, read_responses
from tollkeeper.domain.usage_pools import POOL_NAMES, TokenPools
from tollkeeper.domain.usage_sheet import MOST_TOKENS, Notes, Sheet, token_count

__all__ = ["POOL_NAMES", "TokenPools", "Usage", "normalise_usage"]


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used, and how far the report could be believed.

    Shape: `model` is what the provider's body names, None where only counts were sent;
    `cost_picousd` is what the provider says it billed, None where it does not say;
    `warnings` are stable codes of what did not add up, in the order they were noticed.
    Units: `cost_picousd` in 10^-12 USD, rounded up.
    """

    pools: TokenPools
    model: str | None
    cost_picousd: int | None
    warnings: tuple[str, ...]

    def __post_init__(self) -> None:
        assert all(getattr(self.pools, name) >= 0 for name in POOL_NAMES), self.pools
        assert self.cost_picousd is None or self.cost_picousd >= 0, self.cost_picousd


@dataclass(frozen=True, slots=True)
class _Shape:
    """A usage object with any of these members is read by this function."""

    members: frozenset[str]
    read: Callable[[Sheet, str | None], TokenPools]


_ANTHROPIC_ONLY = (
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation",
    "iterations",
    "server_tool_use",
    "service_tier",
    "inference_geo",
)

# The first shape that fits is taken, so the order is from the most telling names to the least.
# Anthropic and OpenAI's responses share `input_tokens`, and mean different things by it: with the
# cache outside and inside. What only one of them says tells them apart; where neither does, no
# cache is named and both readings agree.
_SHAPES = (
    _Shape(
        frozenset(
            {"promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount"}
        ),
        lambda sheet, _: read_gemini(sheet),
    ),
    _Shape(
        frozenset({"prompt_tokens", "completion_tokens"}),
        lambda sheet, _: read_chat(sheet),
    ),
    _Shape(
        frozenset({"input_tokens_details", "input_token_details"}),
        lambda sheet, _: read_responses(sheet),
    ),
    _Shape(frozenset(_ANTHROPIC_ONLY), read_messages),
    _Shape(
        frozenset({"input_tokens", "output_tokens"}),
        lambda sheet, _: read_responses(sheet),
    ),
)
_TOTAL_ALONE = _Shape(frozenset({"total_tokens"}), lambda sheet, _: read_chat(sheet))

# What a refusal repeats of a member that the caller made up.
LONGEST_NAME = 64
_PLAIN_MEMBERS = frozenset(POOL_NAMES) | {"total"}
_WRAPPERS = ("usage", "usageMetadata")


def normalise_usage(raw: Mapping[str, object]) -> Usage:
    """The usage in disjoint pools that add up to the provider's own total.

    Shape: plain counts by pool name (or `total` alone), a provider's usage object, or its whole
    response body: OpenAI chat completions and everything compatible, OpenAI responses,
    Anthropic messages, Gemini.
    Raises: InvalidError when nothing can be recognised, or a plain count is wrong. A provider's
    own impossible numbers are cut and named in `warnings`, never negative, never an error, unless
    no possible number is left.
    """
    model, usage = _unwrap(raw)
    for shape in _SHAPES:
        if shape.members & usage.keys():
            return _read(shape, usage, model)
    if _PLAIN_MEMBERS & usage.keys():
        return _read_plain(usage, model)
    if _TOTAL_ALONE.members & usage.keys():
        return _read(_TOTAL_ALONE, usage, model)
    raise _not_understood(usage)


def _unwrap(raw: Mapping[str, object]) -> tuple[str | None, Mapping[str, object]]:
    """The model a whole body names, and the usage object in it; or the object itself."""
    for wrapper in _WRAPPERS:
        if wrapper not in raw:
            continue
        usage = raw[wrapper]
        if not isinstance(usage, Mapping):
            reason = "is empty: the provider has not reported what the call used"
            if usage is not None:
                reason = "must be the provider's usage object"
            raise InvalidError(f"usage.{wrapper}", reason)
        body = Sheet(raw, Notes())
        model = body.text("model") or body.text("modelVersion")
        return model, cast("Mapping[str, object]", usage)
    return None, raw


def _read(shape: _Shape, usage: Mapping[str, object], model: str | None) -> Usage:
    notes = Notes()
    sheet = Sheet(usage, notes)
    pools = shape.read(sheet, model)
    if not notes.understood:
        raise InvalidError("usage", "holds no possible token count")
    cost_picousd = sheet.cost_picousd()
    return Usage(pools, model, cost_picousd, tuple(notes.warnings))


def _read_plain(usage: Mapping[str, object], model: str | None) -> Usage:
    """Counts the caller made: held to the letter, since the caller can correct them."""
    counts = {name: _plain_count(name, value) for name, value in usage.items()}
    total = counts.pop("total", None)
    if total is not None and not counts:
        return Usage(TokenPools(input=total), model, None, ("total_only",))
    pools = TokenPools(**counts)
    if total is not None and total != pools.total():
        raise InvalidError("usage.total", f"must be the sum of the pools, {pools.total()}")
    return Usage(pools, model, None, ())


def _plain_count(name: str, value: object) -> int:
    if name not in _PLAIN_MEMBERS:
        known = ", ".join((*POOL_NAMES, "total"))
        raise InvalidError(f"usage.{name[:LONGEST_NAME]}", f"is no token pool; known are {known}")
    tokens = token_count(value)
    if tokens is None:
        reason = f"must be a whole number of tokens from 0 to {MOST_TOKENS}"
        raise InvalidError(f"usage.{name}", reason)
    return tokens


def _not_understood(usage: Mapping[str, object]) -> InvalidError:
    if "seconds" in usage:
        return InvalidError("usage", "counts seconds, not tokens; send them as a quantity")
    return InvalidError(
        "usage",
        "is not recognised; send token counts such as input and output, or the usage object of "
        "OpenAI, Anthropic or Gemini",
    )
