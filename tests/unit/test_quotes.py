"""Quotes: what was promised is what is read back, and nobody else can promise it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper.domain.errors import QuoteExpiredError
from tollkeeper.domain.quotes import LIFE, Quote, judge_quote, read_quote, sign_quote

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
QUOTE = Quote("user_1", "ai_tokens", "gpt-4", "9bf358f6176cd8ca", 18_000_000, NOON + LIFE)
SECRET = "a secret of this stack"


def test_what_was_signed_is_read_back() -> None:
    token = sign_quote(QUOTE, SECRET)

    assert read_quote(token, SECRET) == QUOTE
    assert len(token) < 400


@given(st.text(max_size=200))
def test_no_text_of_ones_own_is_a_quote(text: str) -> None:
    with pytest.raises(QuoteExpiredError):
        read_quote(text, SECRET)


@pytest.mark.parametrize("secret", ["", "another secret"])
def test_a_quote_of_another_stack_is_none(secret: str) -> None:
    with pytest.raises(QuoteExpiredError):
        read_quote(sign_quote(QUOTE, SECRET), secret)


def test_a_quote_with_one_letter_changed_is_none() -> None:
    token = sign_quote(QUOTE, SECRET)
    for place in range(len(token) - 2):
        letter = "A" if token[place] != "A" else "B"
        changed = token[:place] + letter + token[place + 1 :]

        with pytest.raises(QuoteExpiredError):
            read_quote(changed, SECRET)


def test_without_a_secret_nothing_is_believed() -> None:
    with pytest.raises(QuoteExpiredError):
        read_quote(sign_quote(QUOTE, ""), "")


def judged(
    quote: Quote = QUOTE,
    *,
    account: str = "user_1",
    operation: str = "ai_tokens",
    model: str | None = "gpt-4",
    now: datetime = NOON,
) -> None:
    judge_quote(quote, account=account, operation=operation, model=model, now=now)


def test_a_quote_is_for_its_account_operation_and_model_until_it_ends() -> None:
    judged()
    judged(model=None)
    judged(replace(QUOTE, model=""), model="gpt-3.5")
    judged(now=QUOTE.expires_at - timedelta(milliseconds=1))


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"account": "user_2"}, "is for ai_tokens of user_1"),
        ({"operation": "sms"}, "is for ai_tokens of user_1"),
        ({"model": "gpt-3.5"}, "is for gpt-4"),
        ({"now": QUOTE.expires_at}, "has expired"),
    ],
)
def test_anything_else_is_told_to_ask_for_a_new_one(asked: dict[str, Any], says: str) -> None:
    with pytest.raises(QuoteExpiredError, match=says):
        judged(**asked)
