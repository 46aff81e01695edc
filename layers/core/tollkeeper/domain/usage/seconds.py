"""Usage in seconds of sound: transcriptions that are billed by their length."""

from __future__ import annotations

from tollkeeper.domain.usage.pools import TokenPools
from tollkeeper.domain.usage.sheet import Sheet

# `seconds` is what OpenAI bills; `duration` stands in Whisper's verbose answer, at OpenAI and Groq;
# `audio_duration` is AssemblyAI's, with `_secs` ElevenLabs'. Replicate bills a machine's time.
SECONDS = (
    "seconds",
    "billable_audio_seconds",
    "audio_duration",
    "audio_duration_secs",
    "duration",
    "predict_time",
)
# What stands beside tokens: Mistral's and xAI's.
SECONDS_BESIDE = ("prompt_audio_seconds", "billable_audio_seconds")


def read_seconds(sheet: Sheet) -> TokenPools:
    """No tokens but what a total may say: the length of what was heard is in the notes."""
    sheet.notes.seconds_micro = sheet.seconds_micro(*SECONDS, "prompt_audio_seconds")
    total = sheet.tokens("total_tokens")
    if total:
        sheet.warn("total_only")
    return TokenPools(input=total)
