"""How often a vendor's own tools searched the web, as its usage says it."""

from __future__ import annotations

from tollkeeper.domain.usage.sheet import Sheet

# Who says how often it searched, in which object, and by which names.
_SEARCHES = (
    ("server_tool_use", ("web_search_requests",)),
    ("server_tool_use_details", ("web_search_requests",)),
    ("server_side_tool_usage_details", ("web_search_calls",)),
    ("connectors", ("web_search", "web_search_premium")),
    ("prompt_tokens_details", ("web_search_requests",)),
)


def count_searches(sheet: Sheet) -> int:
    """The searches that are billed beside the tokens, 0 where none is told.

    Shape: OpenRouter, xAI, Mistral and LiteLLM count in one object, Perplexity in one for
    each tool.
    """
    if sheet.has("tool_calls_details"):
        tools = sheet.part("tool_calls_details")
        search = None if tools is None else tools.part("search_web")
        return 0 if search is None else search.tokens("invocation")
    for name, counts in _SEARCHES:
        if sheet.has(name):
            tools = sheet.part(name)
            return 0 if tools is None else sum(map(tools.tokens, counts))
    return 0
