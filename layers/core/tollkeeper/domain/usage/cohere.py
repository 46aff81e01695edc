"""Usage as Cohere states it: billed units are what is billed, tokens are only what was counted."""

from __future__ import annotations

from tollkeeper.domain.usage.pools import TokenPools
from tollkeeper.domain.usage.sheet import Sheet
from tollkeeper.domain.usage.sides import join_sides, split_input, split_output

_UNITS = {
    "input_tokens": "input",
    "output_tokens": "output",
    "image_tokens": "image",
    "search_units": "searches",
    "classifications": "requests",
    "images": "images",
}


def read_cohere(sheet: Sheet) -> TokenPools:
    """The pools of a chat, an embedding or a rerank.

    Why: `tokens` has the provider's own prompt in it, which nobody is billed for, and
    `cached_tokens` are counted among those: neither says anything of the billed units. Only where
    nothing is said to be billed are they what there is. An older embedding bills images by the
    piece, each like a request.
    """
    sheet.notes.provider = "cohere"
    billed = sheet.part("billed_units")
    counts = {} if billed is None else billed.counts(_UNITS)
    cached = 0
    if not counts:
        tokens = sheet.part("tokens")
        counts = {} if tokens is None else tokens.counts(_UNITS)
        cached = sheet.tokens("cached_tokens")
    image = counts.get("image", 0)
    pictures = 0 if image else counts.get("images", 0)
    sheet.notes.requests = max(1, pictures, counts.get("searches", 0), counts.get("requests", 0))
    return join_sides(
        split_input(
            sheet,
            whole=counts.get("input", 0) + image,
            cached=cached,
            kinds={"image": image} if image else None,
        ),
        split_output(sheet, whole=counts.get("output", 0)),
    )
