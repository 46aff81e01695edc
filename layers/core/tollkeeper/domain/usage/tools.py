"""What a provider's own tools used, where a response says so beside its usage."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from tollkeeper.domain.usage.finding import Object
from tollkeeper.domain.usage.openai import RESPONSES, read_sides
from tollkeeper.domain.usage.pools import TokenPools
from tollkeeper.domain.usage.report import UsagePart
from tollkeeper.domain.usage.sheet import Notes, Sheet


def read_tools(body: Object, notes: Notes, own: TokenPools) -> TokenPools:
    """The response's own pools with those of its tools; searches are in the notes.

    Why: OpenAI counts what its image tool drew in `tool_usage` and in no total. Where the list of
    tools names the model that drew, that part is priced at it.
    """
    tools = Sheet(body, notes).part("tool_usage")
    if tools is None:
        return own
    search = tools.part("web_search")
    if search is not None:
        notes.web_searches = max(notes.web_searches, search.tokens("num_requests"))
    drawing = tools.part("image_gen")
    if drawing is None:
        return own
    drawn = read_sides(
        drawing,
        drawing.counts(RESPONSES),
        details=("input_tokens_details",),
        output=("output_tokens_details",),
    )
    if not drawing.has("output_tokens_details"):
        drawn = replace(drawn, output=0, image_output=drawn.image_output + drawn.output)
    model = _model_that_draws(body)
    if model is not None and drawn.total():
        notes.parts = (UsagePart(None, own, notes.web_searches), UsagePart(model, drawn))
    return own.plus(drawn)


def _model_that_draws(body: Object) -> str | None:
    tools = body.get("tools")
    for tool in cast("list[object]", tools) if isinstance(tools, list) else ():
        if isinstance(tool, dict):
            members = cast("Object", tool)
            model = members.get("model")
            if members.get("type") == "image_generation" and isinstance(model, str) and model:
                return model
    return None
