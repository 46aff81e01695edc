"""Usage as Gemini states it: the cache is inside the prompt, thoughts are beside the answer."""

from __future__ import annotations

from dataclasses import replace

from tollkeeper.domain.usage_pools import TokenPools, complete_sides, split_input, split_output
from tollkeeper.domain.usage_sheet import Sheet


def read_gemini(sheet: Sheet) -> TokenPools:
    """The pools of generated content or of an embedding.

    Why: zeros are left out of the JSON, so a missing count is what the total leaves for it.
    Details by modality may lack a count, or add up to less than the prompt: only audio is taken
    from them. Tokens that only the total knows of are thoughts.
    """
    tools = sheet.count("toolUsePromptTokenCount") or 0
    thoughts = sheet.count("thoughtsTokenCount") or 0
    total = sheet.count("totalTokenCount")
    prompt, answer, hidden = complete_sides(
        sheet,
        input_side=sheet.count("promptTokenCount"),
        output_side=sheet.count("candidatesTokenCount"),
        total=None if total is None else total - tools - thoughts,
    )
    if hidden:
        sheet.warn("hidden_reasoning")
    # Audio in the cache is billed as cached input, so it leaves the audio pool.
    audio = _audio(sheet, "promptTokensDetails", "promptTokenDetails")
    read = split_input(
        sheet,
        whole=prompt,
        cached=sheet.count("cachedContentTokenCount") or 0,
        audio=max(0, audio - _audio(sheet, "cacheTokensDetails")),
    )
    said = split_output(sheet, whole=answer, audio=_audio(sheet, "candidatesTokensDetails"))
    return replace(read.plus(said), input=read.input + tools, reasoning=thoughts + hidden)


def _audio(sheet: Sheet, *names: str) -> int:
    return sum(row.count("tokenCount") or 0 for row in sheet.rows(*names) if _is_audio(row))


def _is_audio(row: Sheet) -> bool:
    return row.text("modality") == "AUDIO"
