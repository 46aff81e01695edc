"""A quote's token to the letter: another release of this stack reads it while it lasts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tollkeeper.domain.errors import QuoteExpiredError
from tollkeeper.domain.quotes import LIFE, Quote, judge_quote, read_quote, sign_quote

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRET = "a secret of this stack"
QUOTE = Quote("user_1", "ai_tokens", "gpt-4", "9bf358f6176cd8ca", 18_000_000, NOON + LIFE)
FOREIGN = r"^The quote is not one of this stack's; ask for a new one\.$"
TOKENS = {
    "": (
        "WzEsInVzZXJfMSIsImFpX3Rva2VucyIsIiIsIjliZjM1OGY2MTc2Y2Q4Y2EiLDE4MDAwMDAwLDE3OTUxNzY5"
        "MDAwMDBd.PvUNjjloyqWlVX6aa3zD8w"
    ),
    "m": (
        "WzEsInVzZXJfMSIsImFpX3Rva2VucyIsIm0iLCI5YmYzNThmNjE3NmNkOGNhIiwxODAwMDAwMCwxNzk1MTc2"
        "OTAwMDAwXQ.D9Kx_Nw4KMVDd5AWCp7IfQ"
    ),
    "ml": (
        "WzEsInVzZXJfMSIsImFpX3Rva2VucyIsIm1sIiwiOWJmMzU4ZjYxNzZjZDhjYSIsMTgwMDAwMDAsMTc5NTE3"
        "NjkwMDAwMF0.DJ01cSHoC0OR77W9iLfgsw"
    ),
}
"""By model, so that the text ends at each place of a group of three bytes."""


@pytest.mark.parametrize("model", TOKENS)
def test_a_token_is_written_as_it_was_and_read_as_it_was_written(model: str) -> None:
    quote = replace(QUOTE, model=model)

    assert sign_quote(quote, SECRET) == TOKENS[model]
    assert read_quote(TOKENS[model], SECRET) == quote


def test_a_token_is_of_letters_that_an_address_and_a_header_take() -> None:
    tokens = [sign_quote(replace(QUOTE, typical_microcredits=n), SECRET) for n in range(60)]

    letters = {letter for token in tokens for letter in token if not letter.isalnum()}

    assert letters == {".", "-", "_"}, "these and no padding"
    assert [read_quote(token, SECRET).typical_microcredits for token in tokens] == [*range(60)]


def test_a_quote_ends_on_a_whole_millisecond_and_never_after_its_time() -> None:
    quote = replace(QUOTE, expires_at=NOON + timedelta(microseconds=1999))

    read = read_quote(sign_quote(quote, SECRET), SECRET)

    assert read.expires_at == NOON + timedelta(milliseconds=1)


@pytest.mark.parametrize("place", [0, 40, 110, -1])
@pytest.mark.parametrize("more", ["!!!!", "\n\n\n\n", "    ", "....", "===="])
def test_a_token_with_anything_added_is_none(place: int, more: str) -> None:
    token = sign_quote(QUOTE, SECRET)

    with pytest.raises(QuoteExpiredError, match=FOREIGN):
        read_quote(token[:place] + more + token[place:], SECRET)


@pytest.mark.parametrize("token", ["", ".", "a.b", "no dot", "a.b.c"])
def test_what_is_no_token_is_told_so_in_a_sentence(token: str) -> None:
    with pytest.raises(QuoteExpiredError, match=FOREIGN):
        read_quote(token, SECRET)


def test_a_quote_whose_time_is_over_is_told_so_in_a_sentence() -> None:
    with pytest.raises(QuoteExpiredError, match=r"^The quote has expired; ask for a new one\.$"):
        judge_quote(
            QUOTE,
            account=QUOTE.account,
            operation=QUOTE.operation,
            model=QUOTE.model,
            now=QUOTE.expires_at,
        )
