"""Three providers' streams without their networks: pieces in each one's own dialect.

The shapes are the providers' public ones, the texts and ids are made up. Each stream ends with the
usage report from which Tollkeeper charges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from examples.demo.characters import Character

Piece = Mapping[str, Any]
SYSTEM_TOKENS = 24


class ProviderError(Exception):
    """The provider gave no answer: it is overloaded, as the failing button wants it."""


def tokens_in(text: str) -> int:
    """About how many tokens a tokenizer makes of it: three words are four tokens."""
    return max(1, round(len(text.split()) * 4 / 3))


def stream(to: Character, text: str) -> Iterator[Piece]:
    """The pieces in which the character's provider answers; the last ones say what was used."""
    assert to.model is not None
    return _STREAMS[to.provider](to.model, text, to.reply_to(text))


def text_of(piece: Piece) -> str:
    """The words of one piece, whichever provider it comes from."""
    if piece.get("object") == "chat.completion.chunk":
        return "".join(each["delta"].get("content") or "" for each in piece["choices"])
    if piece.get("type") == "content_block_delta":
        return str(piece["delta"]["text"])
    if "candidates" in piece:
        parts = piece["candidates"][0]["content"]["parts"]
        return "".join(str(part["text"]) for part in parts)
    return ""


def _words(reply: str) -> Iterator[str]:
    words = reply.split(" ")
    for at in range(0, len(words), 3):
        yield (" " if at else "") + " ".join(words[at : at + 3])


def _openai(model: str, prompt: str, reply: str) -> Iterator[Piece]:
    head: Piece = {
        "id": "chatcmpl-demo",
        "object": "chat.completion.chunk",
        "created": 1_763_676_000,
        "model": f"{model}-0613",
    }
    for words in _words(reply):
        delta = {"role": "assistant", "content": words}
        yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    read, written = SYSTEM_TOKENS + tokens_in(prompt), tokens_in(reply)
    usage = {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }
    yield {**head, "choices": [], "usage": usage}


def _anthropic(model: str, prompt: str, reply: str) -> Iterator[Piece]:
    read = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    read["input_tokens"] = SYSTEM_TOKENS + tokens_in(prompt)
    message: Piece = {
        "id": "msg_demo",
        "type": "message",
        "role": "assistant",
        "model": f"{model}-20250929",
        "content": [],
        "stop_reason": None,
        "usage": {**read, "output_tokens": 1},
    }
    yield {"type": "message_start", "message": message}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    for words in _words(reply):
        delta = {"type": "text_delta", "text": words}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    usage = {**read, "output_tokens": tokens_in(reply)}
    yield {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage}
    yield {"type": "message_stop"}


def _google(model: str, prompt: str, reply: str) -> Iterator[Piece]:
    read, pieces = SYSTEM_TOKENS + tokens_in(prompt), list(_words(reply))
    so_far = ""
    for number, words in enumerate(pieces, 1):
        so_far += words
        written = tokens_in(so_far)
        candidate: dict[str, Any] = {
            "content": {"role": "model", "parts": [{"text": words}]},
            "index": 0,
        }
        if number == len(pieces):
            candidate["finishReason"] = "STOP"
        yield {
            "candidates": [candidate],
            "usageMetadata": {
                "promptTokenCount": read,
                "candidatesTokenCount": written,
                "totalTokenCount": read + written,
            },
            "modelVersion": model,
            "responseId": "demo",
        }


_STREAMS: Mapping[str, Callable[[str, str, str], Iterator[Piece]]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "google": _google,
}
