"""Where a usage object is found: in a whole body, an event of a stream, or a list of events."""

from __future__ import annotations

from collections.abc import Container, Sequence
from decimal import Decimal
from typing import NamedTuple, cast

from tollkeeper.domain.errors import InvalidError

Object = dict[str, object]

# What a usage object is called, and what may stand around it, in the order of looking.
REPORTS = (
    "usage",
    "usageMetadata",
    "usage_metadata",
    "tokenUsage",
    "token_usage",
    "totalUsage",
    "amazon-bedrock-invocationMetrics",
)
_AROUND = (
    "response",
    "message",
    "metadata",
    "x_groq",
    "meta",
    "delta",
    "result",
    "body",
    "response_metadata",
)
DEEPEST = 4


class Report(NamedTuple):
    """A usage object, and what the body around it says of model and service tier."""

    usage: Object
    model: str | None
    tier: object
    kind: object = None


def find_report(raw: Object, depth: int = 0) -> Report | None:
    """The usage object in a body, however deep an event wraps it; None where it has none."""
    for name in REPORTS:
        usage = raw.get(name)
        if isinstance(usage, dict):
            return Report(cast("Object", usage), _model(raw), _tier(raw), raw.get("type"))
    if depth == DEEPEST:
        return None
    for name in _AROUND:
        inner = raw.get(name)
        if isinstance(inner, dict):
            found = find_report(cast("Object", inner), depth + 1)
            if found is not None:
                return _framed(found, raw)
    if depth and "billed_units" in raw:
        return Report(raw, _model(raw), _tier(raw))
    return None


def says_counts(raw: Object, counts: Container[str]) -> bool:
    """Whether the object itself counts anything, rather than name a service tier or the like."""
    return any(name in counts and isinstance(raw[name], int | float | Decimal) for name in raw)


def last_report(events: Sequence[object], counts: Container[str]) -> Report:
    """The usage of a stream: the last that was said, never the sum.

    Why: every provider repeats the whole usage, so adding would count it twice. Anthropic's later
    events may leave out what its first one said: there, later members replace earlier ones.
    Shape: `counts` are the members of an event that is a usage object itself.
    Raises: InvalidError where no event carries a usage.
    """
    last: Report | None = None
    for event in events:
        if not isinstance(event, dict):
            continue
        members = cast("Object", event)
        found = find_report(members)
        if found is None and says_counts(members, counts):
            found = Report(members, _model(members), _tier(members), members.get("type"))
        if found is None:
            continue
        last = found if last is None else _follow(last, found)
    if last is None:
        raise InvalidError(
            "usage.events",
            "carry no usage; ask the provider to stream it (OpenAI: stream_options.include_usage)",
        )
    return last


def _follow(before: Report, now: Report) -> Report:
    usage = now.usage
    if _is_delta(before, now):
        usage = _replace(before.usage, usage)
    tier = before.tier if now.tier is None else now.tier
    return Report(usage, now.model or before.model, tier, now.kind, now.tools)


def _is_told_better(before: Report, now: Report) -> bool:
    """Whether Bedrock's metrics end a message that said the same in more detail.

    Why: the metrics do not say how long a cache lives, nor what a message searched.
    """
    return "inputTokenCount" in now.usage and before.kind in ("message_start", "message_delta")


def _is_delta(before: Report, now: Report) -> bool:
    if now.kind in ("message_start", "message_delta"):
        return now.kind == "message_delta"
    return "cache_read_input_tokens" in before.usage and "output_tokens" in now.usage


def _replace(before: Object, now: Object) -> Object:
    """Anthropic's usage with what a later event says of it."""
    usage = before | {name: value for name, value in now.items() if value is not None}
    written = "cache_creation_input_tokens"
    if "cache_creation" not in now and usage.get(written) != before.get(written):
        # The split of the earlier count says nothing of the later one.
        usage.pop("cache_creation", None)
    return usage


def _framed(found: Report, raw: Object) -> Report:
    """The report with what only the outer body says. A `custom_id` is that of a batch."""
    tier = _tier(raw) if found.tier is None else found.tier
    if "custom_id" in raw and tier in (None, "default", "standard", "auto"):
        tier = "batch"
    kind = raw.get("type") if found.kind in (None, "message") else found.kind
    return Report(found.usage, found.model or _model(raw), tier, kind)


def _tier(raw: Object) -> object:
    return raw.get("service_tier") or raw.get("serviceTier")


def _model(raw: Object) -> str | None:
    model = raw.get("model") or raw.get("modelVersion") or raw.get("model_version")
    return model if isinstance(model, str) else None
    if _is_told_better(before, now):
        return before
