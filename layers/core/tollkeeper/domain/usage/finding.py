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
    "usageEvent",
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
    "data",
    "interaction",
    "modelOutput",
    "stats",
    "metrics",
    "event",
)
# What proves a usage that has no name of its own, inside of another object: Cohere's, LM Studio's,
# Replicate's and that of a generation that OpenRouter looks up.
_PROOFS = (
    "billed_units",
    "total_output_tokens",
    "output_token_count",
    "predict_time",
    "native_tokens_prompt",
)
_MODELS = ("model", "modelVersion", "model_version", "model_name", "modelId")
DEEPEST = 4


class Report(NamedTuple):
    """A usage object, and what the body around it says of model and service tier.

    Shape: `more` is the body itself where it says beside the usage what its tools used, or each of
    its models.
    """

    usage: Object
    model: str | None
    tier: object
    kind: object = None
    more: Object | None = None


def find_report(raw: Object, depth: int = 0) -> Report | None:
    """The usage object in a body, however deep an event wraps it; None where it has none."""
    for name in REPORTS:
        usage = raw.get(name)
        if isinstance(usage, dict):
            model = model_of(raw) or _model_of_answer(raw)
            more = _more_beside(raw)
            return Report(cast("Object", usage), model, _tier(raw), raw.get("type"), more)
    if depth == DEEPEST:
        return None
    for name in _AROUND:
        inner = raw.get(name)
        if isinstance(inner, dict):
            found = find_report(cast("Object", inner), depth + 1)
            if found is not None:
                return _framed(found, raw)
    if depth and any(name in raw for name in _PROOFS):
        return Report(raw, model_of(raw), _tier(raw))
    return _of_a_choice(raw)


def _more_beside(raw: Object) -> Object | None:
    """Where a usage is told in more detail than in its own object: the body, or Groq's part of it.

    Why: the last chunk of a stream at Groq may tell the usage twice, and the models' only once.
    """
    if isinstance(raw.get("tool_usage"), dict) or isinstance(raw.get("usage_breakdown"), dict):
        return raw
    inner = raw.get("x_groq")
    return _more_beside(cast("Object", inner)) if isinstance(inner, dict) else None


def says_counts(raw: Object, counts: Container[str]) -> bool:
    """Whether the object itself counts anything, rather than name a service tier or the like."""
    return any(name in counts and isinstance(raw[name], int | float | Decimal) for name in raw)


def length_beside(raw: Object) -> Object | None:
    """What a transcription of Deepgram's says beside its results: the length of what it heard."""
    metadata = raw.get("metadata")
    if "results" in raw and isinstance(metadata, dict) and "duration" in metadata:
        return cast("Object", metadata)
    return None


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
            found = Report(members, model_of(members), _tier(members), members.get("type"))
        if found is None:
            continue
        if last is None or _says_anything(found.usage):
            last = found if last is None else _follow(last, found)
    if last is None:
        raise InvalidError(
            "usage.events",
            "carry no usage; ask the provider to stream it (OpenAI: stream_options.include_usage)",
        )
    return last


def _of_a_choice(raw: Object) -> Report | None:
    """The usage in the last chunk of a stream, where Moonshot puts it into the choice."""
    choices = raw.get("choices")
    for choice in cast("list[object]", choices) if isinstance(choices, list) else ():
        usage = cast("Object", choice).get("usage") if isinstance(choice, dict) else None
        if isinstance(usage, dict):
            return Report(cast("Object", usage), model_of(raw), _tier(raw), raw.get("type"))
    return None


def _says_anything(usage: Object) -> bool:
    """Whether it is more than words: Vertex repeats the type of its traffic in every chunk."""
    return any(value is not None and not isinstance(value, str) for value in usage.values())


def _follow(before: Report, now: Report) -> Report:
    if _is_told_better(before, now):
        return before
    usage = now.usage
    if _is_delta(before, now):
        usage = _replace(before.usage, usage)
    tier = before.tier if now.tier is None else now.tier
    return Report(usage, now.model or before.model, tier, now.kind, now.more)


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
    """The report with what only the outer body says.

    Why: a line of a batch has a `custom_id`, at Bedrock a `recordId`, and at Vertex, beside the
    request, the time at which it was processed.
    """
    tier = _tier(raw) if found.tier is None else found.tier
    if _is_of_a_batch(raw) and tier in (None, "default", "standard", "auto"):
        tier = "batch"
    kind = found.kind
    if kind in (None, "message"):
        kind = raw.get("type") or raw.get("event")
    return Report(found.usage, found.model or model_of(raw), tier, kind, found.more)


def _is_of_a_batch(raw: Object) -> bool:
    return "custom_id" in raw or "recordId" in raw or ("processed_time" in raw and "request" in raw)


def _tier(raw: Object) -> object:
    if raw.get("object") == "batch":
        return "batch"
    return raw.get("service_tier") or raw.get("serviceTier")


def model_of(raw: Object) -> str | None:
    """The model that a body names; None where it names none."""
    for name in _MODELS:
        model = raw.get(name)
        if model:
            return model if isinstance(model, str) else None
    return None


def _model_of_answer(raw: Object) -> str | None:
    """The model that LangChain and the AI SDK name beside the usage, in the answer's own object."""
    for name in ("response_metadata", "response"):
        answer = raw.get(name)
        model = model_of(cast("Object", answer)) if isinstance(answer, dict) else None
        if model is not None:
            return model
    return None
