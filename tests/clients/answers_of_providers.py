"""Answers as providers' SDKs give them: the smallest that have their shape."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Loose(BaseModel):
    """An object of an SDK that is built on pydantic."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())


class Modality(Enum):
    """How Gemini's SDK says text or audio."""

    TEXT = "TEXT"
    AUDIO = "AUDIO"


class GeminiPart(BaseModel):
    """An object of Gemini's SDK: snake_case in Python, camelCase on the wire."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class GeminiDetails(GeminiPart):
    """Tokens of one modality."""

    modality: Modality
    token_count: int


class GeminiUsage(GeminiPart):
    """`usage_metadata`."""

    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    total_token_count: int | None = None
    prompt_tokens_details: list[GeminiDetails] | None = None


class GeminiAnswer(GeminiPart):
    """The answer of Gemini's SDK."""

    model_config = ConfigDict(protected_namespaces=())

    model_version: str | None = None
    response_id: str | None = None
    usage_metadata: GeminiUsage | None = None


class Dictish:
    """An object of an SDK that has `to_dict` alone."""

    def __init__(self, **members: Any) -> None:
        self._members = members
        self.__dict__.update(members)

    def to_dict(self) -> dict[str, Any]:
        """The members."""
        return self._members


class Slotted:
    """An object that says nothing about itself."""

    __slots__ = ("input_tokens", "output_tokens")

    def __init__(self, input_tokens: int, output_tokens: int) -> None:
        self.input_tokens = input_tokens
        self.output_tokens = output_tokens


def openai_chat(prompt: int, completion: int, *, answer_id: str = "chatcmpl-1") -> Loose:
    """A chat completion."""
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    return Loose.model_validate(
        {"id": answer_id, "object": "chat.completion", "model": "gpt-4-0613", "usage": usage}
    )


def openai_chunks(*usages: dict[str, int] | None, answer_id: str = "chatcmpl-9") -> list[Loose]:
    """The chunks of a streamed chat completion."""
    return [
        Loose.model_validate(
            {
                "id": answer_id,
                "object": "chat.completion.chunk",
                "model": "gpt-4-0613",
                "choices": [],
                "usage": usage,
            }
        )
        for usage in usages
    ]


def anthropic_events(start: dict[str, Any], *deltas: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The events of a streamed Anthropic message that carry usage, with text between them."""
    message = {"id": "msg_1", "type": "message", "model": "claude-sonnet-4-5", "usage": start}
    yield {"type": "message_start", "message": message}
    yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}}
    for delta in deltas:
        yield {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": delta}
    yield {"type": "message_stop"}
