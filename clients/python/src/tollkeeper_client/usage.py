"""The usage that a provider reports: found in its answers and streams, sent on as it is.

The server knows how each provider counts; here its report is only found, in whatever the SDK
returns, and put back into the words of the provider's own JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from typing import cast

from tollkeeper_client.errors import UsageUnreadableError
from tollkeeper_client.plain_objects import member_of, text_of, to_plain

_MODEL = re.compile(r"[!-~]{1,128}")
_SNAKE = re.compile(r"_([a-z0-9])")
_WHOLE = ("usage", "usageMetadata", "usage_metadata")
_GEMINI_ONLY = frozenset(
    {"prompt_token_count", "candidates_token_count", "total_token_count", "thoughts_token_count"}
)
# Where the events of streams keep the answer that they are about.
_INNER = ("response", "message", "chunk")
# Where Bedrock's streams keep it, in an event that says no type.
_METADATA = "metadata"


class Kind(Enum):
    """What a report replaces: all before it, or only what it names."""

    WHOLE = "whole"
    START = "start"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Report:
    """One usage report. Shape: `usage` in the provider's words; `answer_id` names the answer."""

    usage: Mapping[str, object]
    model: str | None = None
    service_tier: str | None = None
    answer_id: str | None = None
    is_gemini: bool = False
    is_plain: bool = False
    is_piece: bool = False
    kind: Kind = Kind.WHOLE

    def to_wire(self) -> dict[str, object]:
        """The member `usage` of a request: the model, the service tier and the raw report.

        Why: nothing else of the answer is sent. It is large, and none of our business.
        """
        if self.is_plain:
            return dict(self.usage)
        model, usage = ("modelVersion", "usageMetadata") if self.is_gemini else ("model", "usage")
        named = {model: self.model, "service_tier": self.service_tier}
        said: dict[str, object] = {name: each for name, each in named.items() if each is not None}
        return {**said, usage: dict(self.usage)}

    def after(self, before: Report | None) -> Report:
        """What is known after this report: the last usage wins.

        Why: Anthropic's `message_delta` has cumulative counts, and leaves out what did not change
        since `message_start`; every other provider repeats its whole report.
        Source: Anthropic's documentation of streaming messages.
        """
        if before is None:
            return self
        model = self.model or before.model
        answer_id = self.answer_id or before.answer_id
        tier = self.service_tier or before.service_tier
        usage = self.usage
        if self.kind is Kind.CHANGE and before.kind is not Kind.WHOLE:
            usage = {**before.usage, **self.usage}
        return replace(self, usage=usage, model=model, service_tier=tier, answer_id=answer_id)


def find_report(item: object) -> Report | None:
    """The usage report in an answer or in a piece of a stream; None where there is none.

    Why: a text is never read, even if it looks like a report. Models write texts, and whoever
    asks a model must not choose what is charged.
    """
    if item is None or isinstance(item, (str, bytes, int, float)):
        return None
    told = text_of(item, "type") or ""
    if told == "message_start":
        report = _read_answer(member_of(item, "message"))
        return None if report is None else replace(report, kind=Kind.START, is_piece=True)
    report = _read_answer(item)
    if report is None:
        inner = member_of(item, *_INNER) if told else member_of(item, _METADATA)
        report = _read_answer(inner)
        return None if report is None else replace(report, is_piece=True)
    if told == "message_delta":
        return replace(report, kind=Kind.CHANGE, is_piece=True)
    return replace(report, is_piece=(text_of(item, "object") or "").endswith(".chunk"))


def read_usage(given: object) -> Report:
    """The report in what a caller gives as usage: counts by pool, a usage object, or an answer.

    Raises: UsageUnreadableError.
    """
    if isinstance(given, Report):
        return given
    report = find_report(given)
    if report is not None:
        return report
    usage = None if isinstance(given, (str, bytes)) else _readable(given)
    if usage is None or not _has_counts(usage):
        raise UsageUnreadableError(
            "usage must be counts such as {'input': 20, 'output': 5}, or the usage object or the "
            f"answer of a provider; this {type(given).__name__} is none"
        )
    is_gemini = bool(_GEMINI_ONLY & usage.keys())
    return Report(_to_camel(usage) if is_gemini else usage, is_plain=True)


def _read_answer(answer: object) -> Report | None:
    if answer is None:
        return None
    stated = member_of(answer, *_WHOLE)
    usage = None if isinstance(stated, (str, bytes, int, float)) else _readable(stated)
    if usage is None:
        return None
    is_gemini = member_of(answer, "usageMetadata", "usage_metadata") is not None
    return Report(
        usage=_to_camel(usage) if is_gemini else usage,
        model=_usable_model(text_of(answer, "model", "modelVersion", "model_version")),
        service_tier=_usable_tier(text_of(answer, "service_tier", "serviceTier")),
        answer_id=text_of(answer, "id", "responseId", "response_id"),
        is_gemini=is_gemini,
    )


def _usable_model(name: str | None) -> str | None:
    """The model's name, where the ledger can have it.

    Why: a run whose hold names the model must not go uncharged for a name with a blank in it.
    """
    return name if name is not None and _MODEL.fullmatch(name) else None


def _usable_tier(name: str | None) -> str | None:
    """The word for how the call was served, where it is one: priority costs more, flex less."""
    return name if name is not None and _MODEL.fullmatch(name) else None


def _readable(stated: object) -> Mapping[str, object] | None:
    """The report as plain values; None where it says nothing."""
    if stated is None:
        return None
    plain = to_plain(stated)
    if not isinstance(plain, dict):
        return None
    members = cast("dict[str, object]", plain)
    said = {name: each for name, each in members.items() if each is not None}
    return said or None


def _has_counts(usage: Mapping[str, object]) -> bool:
    """Whether these are counts, and not an answer whose usage is missing."""
    is_answer = any(name in usage for name in (*_WHOLE, "choices", "content", "candidates"))
    return not is_answer and any(type(each) in (int, float, Decimal) for each in usage.values())


def _to_camel(value: Mapping[str, object]) -> Mapping[str, object]:
    """The members as Gemini's JSON names them; its Python SDKs have names of their own."""
    return cast("Mapping[str, object]", _renamed(value))


def _renamed(value: object) -> object:
    if isinstance(value, Mapping):
        members = cast("Mapping[str, object]", value).items()
        return {
            _SNAKE.sub(lambda found: found[1].upper(), name): _renamed(each)
            for name, each in members
        }
    if isinstance(value, list):
        return [_renamed(each) for each in cast("list[object]", value)]
    return value


class CallUsage:
    """What one call at a provider reported so far: the last report wins."""

    __slots__ = ("report",)

    def __init__(self) -> None:
        self.report: Report | None = None

    def see(self, report: Report) -> None:
        """The report is the last one."""
        self.report = report.after(self.report)


class RunUsage:
    """What the calls of one run reported, each call once."""

    def __init__(self) -> None:
        self._calls: list[CallUsage] = []
        self._noted: CallUsage | None = None
        self._implied: CallUsage | None = None

    def begin_call(self) -> CallUsage:
        """A call of its own, such as a stream: its reports replace each other alone."""
        call = CallUsage()
        self._calls.append(call)
        return call

    def imply(self, report: Report) -> None:
        """The report counts unless the run names what counts by itself.

        Why: a function may read usage from its stream and hand on the same pieces.
        """
        if self._implied is None:
            self._implied = CallUsage()
        self._implied.see(report)

    def note(self, report: Report) -> None:
        """The report counts: for the answer it is about, or for the one noted before.

        Why: an answer that names itself differently is another call, and is paid for as well.
        Pieces of streams and answers without a name replace what was noted last.
        """
        same = self._about(report.answer_id)
        if same is not None:
            same.see(report)
            return
        last = None if self._noted is None else self._noted.report
        is_other = last is not None and last.answer_id is not None and report.answer_id is not None
        if self._noted is None or (is_other and not report.is_piece):
            self._noted = self.begin_call()
        self._noted.see(report)

    def _about(self, answer_id: str | None) -> CallUsage | None:
        for call in self._calls if answer_id is not None else ():
            if call.report is not None and call.report.answer_id == answer_id:
                return call
        return None

    def reports(self) -> list[Report]:
        """One report for each call that reported anything, in the order they began."""
        named = [call.report for call in self._calls if call.report is not None]
        if named or self._implied is None or self._implied.report is None:
            return named
        return [self._implied.report]
