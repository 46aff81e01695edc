"""Runs as apps report them: every rule, every dialect of usage, and what each report means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from .pricelist import Used

COUNTS = st.one_of(st.integers(0, 40), st.integers(0, 120), st.integers(0, 2500))
LABELS: dict[str, list[str | None]] = {
    "feature": [None, None, "chat", "import"],
    "subtype": [None, None, None, "pdf"],
    "service": [None, None, "openai"],
}
MODELS = ["gpt-4", "GPT-4-0613", "gpt-4-mini", "gpt-4-mini-2", "llama-3-70b", "gpt-5", None]


PICO_OF = {"0": 0, "0.00012": 120_000_000, "0.0123456": 12_345_600_000, "0.5": 500_000_000_000}


@dataclass(frozen=True)
class RunAsked:
    """The members of a run, and what its usage means."""

    body: dict[str, Any]
    used: Used | None


def _plain(draw: st.DrawFn) -> tuple[dict[str, Any], Used]:
    names = draw(
        st.sampled_from(
            [("input", "output"), ("input", "cached_input", "reasoning"), ("cache_write_5m",)]
        )
    )
    pools = {name: draw(COUNTS) for name in names}
    return dict(pools), Used(pools)


def _total(draw: st.DrawFn) -> tuple[dict[str, Any], Used]:
    total = draw(COUNTS)
    return {"total": total}, Used({"input": total}, warnings=("total_only",))


def _openai(draw: st.DrawFn, *costs: str) -> tuple[dict[str, Any], Used]:
    fresh, cached, said, thought = (draw(COUNTS) for _ in range(4))
    usage: dict[str, Any] = {
        "prompt_tokens": fresh + cached,
        "completion_tokens": said + thought,
        "total_tokens": fresh + cached + said + thought,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": thought},
    }
    pools = {"input": fresh, "cached_input": cached, "output": said, "reasoning": thought}
    cost = draw(st.sampled_from([None, None, *(costs or ("0.00012", "0.5"))]))
    if cost is None:
        return usage, Used(pools)
    return usage | {"cost": float(cost)}, Used(pools, reported_pico=PICO_OF[cost])


def _anthropic(draw: st.DrawFn) -> tuple[dict[str, Any], Used]:
    fresh, cached, said = (draw(COUNTS) for _ in range(3))
    usage = {
        "input_tokens": fresh,
        "cache_read_input_tokens": cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": said,
    }
    pools = {"input": fresh, "cached_input": cached, "output": said}
    return usage, Used(pools, hint="anthropic")


def _gemini(draw: st.DrawFn) -> tuple[dict[str, Any], Used]:
    asked, said, thought = (draw(COUNTS) for _ in range(3))
    usage = {
        "promptTokenCount": asked,
        "candidatesTokenCount": said,
        "thoughtsTokenCount": thought,
        "totalTokenCount": asked + said + thought,
    }
    return usage, Used({"input": asked, "output": said, "reasoning": thought}, hint="google")


def _whole_answer(draw: st.DrawFn) -> tuple[dict[str, Any], Used]:
    usage, used = _openai(draw)
    model = draw(st.sampled_from(["gpt-4-0613", "llama-3-8b", "unheard-of"]))
    whole = {"id": "chatcmpl-1", "model": model, "usage": usage}
    return whole, Used(used.pools, model, used.reported_pico)


def _booked(draw: st.DrawFn) -> tuple[dict[str, Any], Used]:
    """As a model of the book reports it: with a service tier, or with what it was billed at."""
    kind = draw(st.sampled_from(["pools", "pools", "total", "openai", "tier", "hint"]))
    if kind == "pools":
        names = draw(st.lists(st.sampled_from(POOLED), min_size=1, max_size=4, unique=True))
        pools = {name: draw(COUNTS) for name in names}
        return dict(pools), Used(pools)
    if kind == "total":
        return _total(draw)
    if kind == "hint":
        # Whose shape it is only hints at whose model it is: these are nobody's of the book.
        return draw(st.sampled_from([_gemini, _anthropic]))(draw)
    if kind == "openai":
        return _openai(draw, "0", "0.0123456")
    usage, used = _openai(draw, "0")
    tier = draw(st.sampled_from(["default", "flex", "priority"]))
    said = "" if tier == "default" else tier
    whole = {"id": "c", "model": "alpha-1", "usage": usage, "service_tier": tier}
    return whole, Used(used.pools, "alpha-1", used.reported_pico, tier=said)


POOLED = (
    *("input", "cached_input", "cache_write_5m", "cache_write_1h"),
    *("output", "reasoning", "audio_input", "audio_output"),
)
DIALECTS = [_plain, _plain, _total, _openai, _anthropic, _gemini, _whole_answer]


@st.composite
def usages(draw: st.DrawFn) -> tuple[dict[str, Any], Used]:
    """A usage report and what it means."""
    return draw(st.sampled_from(DIALECTS))(draw)


@st.composite
def runs(draw: st.DrawFn, operations: tuple[str, ...]) -> RunAsked:
    """A run of one of these, as well described as apps do, now and then wrongly."""
    body: dict[str, Any] = {"operation": draw(st.sampled_from(operations))}
    used: Used | None = None
    operation = body["operation"]
    for name, values in LABELS.items():
        value = draw(st.sampled_from(values))
        if value is not None:
            body[name] = value
    if operation in BOOKED:
        body["usage"], used = _booked(draw)
        _describe_booked(draw, body)
    if operation == "machine":
        names = draw(st.sampled_from([TAKEN, TAKEN, TAKEN, TAKEN[1:]]))
        body["resource"] = {name: draw(st.integers(1, 9_999)) for name in names}
    if operation == "chat" or (operation == "drawing" and draw(st.booleans())):
        body["usage"], used = draw(usages())
    if operation in MODELLED:
        model = draw(st.sampled_from(MODELLED[operation]))
        if model is not None:
            body["model"] = model
    quantity = draw(st.sampled_from(QUANTITIES.get(operation, [None])))
    if quantity is not None:
        body["quantity"] = quantity
    return RunAsked(body, used)


def _describe_booked(draw: st.DrawFn, body: dict[str, Any]) -> None:
    """Of which model and provider, and in which service tier."""
    provider, model = draw(st.sampled_from(KNOWN))
    if model is not None:
        body["model"] = model
    if provider and draw(st.booleans()):
        body["provider"] = provider
    tier = draw(st.sampled_from([None, None, "standard", "batch", "flex", "priority", "fast"]))
    if tier is not None:
        body["service_tier"] = tier


@st.composite
def unknown_runs(draw: st.DrawFn) -> RunAsked:
    """A run of a model that no book knows, or only the next one."""
    body: dict[str, Any] = {"operation": "ask", "model": draw(st.sampled_from(UNHEARD))}
    body["usage"], used = _booked(draw)
    if draw(st.booleans()):
        body["provider"] = "zenith"
    return RunAsked(body, used)


UNHEARD = ("beta-9", "beta-9", "unheard-of")
BOOKED = ("ask", "think", "answer")
TAKEN = ("cpu_ms", "mem_mb", "duration_ms")
# Who bills which model; nobody knows the last ones, and one of them only the second book.
KNOWN: list[tuple[str, str | None]] = [
    ("acme", "alpha-1"),
    ("acme", "alpha-1"),
    ("acme", "Alpha-Mini-2026"),
    ("acme", "alpha-dated"),
    ("zenith", "zen-pro"),
    ("zenith", "zen-max"),
    ("zenith", "zen-lite"),
    ("acme", "alpha-own"),
    ("zenith", "beta-9"),
    ("acme", "unheard-of"),
    ("", None),
]
COUNTED = ("call", "call", "video", "clip", "drawing", "chat")
PRICED = ("ask", "ask", "think", "think", "answer", "machine", "page", "page", "scan")
OPERATIONS = (
    *COUNTED,
    *PRICED,
    "hello",
    "minute",
    "minute",
    "sms",
    "chat",
    "chat",
    "own",
    "nothing",
)
MODELLED: dict[str, list[str | None]] = {
    "chat": [*MODELS],
    "drawing": ["dall-e-3", "dall-e-2-hd", "SDXL-turbo", "dall-e-2", None],
    "own": [None, "llama-3-8b"],
}
QUANTITIES: dict[str, list[Any]] = {
    "call": [None, None, 1, 2, 3, "0.5"],
    "video": [None, 1, 2],
    "clip": [None, "1", 2],
    "drawing": [None, 1, 4],
    "minute": [None, "0.000001", "0.25", "2.5", 3, "61.999999"],
    "sms": [None, 1, 5, "1.5"],
    "page": [None, None, 1, 2, 5, "0.5"],
    "scan": [None, "0.000001", "0.7", 1, "3.3"],
    "chat": [None, None, None, None, None, None, None, 1],
    "own": [None, "0.1", 3],
}
