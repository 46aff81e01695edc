"""What a refused caller reads: the member that is wrong, and what would be right.

Why: these texts are the `detail` of problems; an app shows or logs them, and a developer mends a
request by them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.unit.building import (
    CATALOG,
    NOON,
    ONE,
    a_grant,
    a_key,
    a_run,
    an_account,
    charged,
    draft_of,
)
from tollkeeper.domain.account import Account, Status
from tollkeeper.domain.charges import GiveBack, decide_give_back
from tollkeeper.domain.entries import EntryKind, caller_key, parse_id, read_key
from tollkeeper.domain.errors import (
    CatalogError,
    FeatureLimitError,
    GrantLimitError,
    InsufficientCreditsError,
    InvalidError,
    TollkeeperError,
    UnknownModelError,
    UnknownOperationError,
)
from tollkeeper.domain.gate import refuse_unable
from tollkeeper.domain.grants import MOST_GRANTS
from tollkeeper.domain.money import parse_micro
from tollkeeper.domain.operating import (
    Adjust,
    ChangePlan,
    ChangeStanding,
    GiveGrant,
    decide_adjustment,
    decide_grant,
    decide_plan_change,
    decide_standing,
)
from tollkeeper.domain.pricing import Consumption, price_run
from tollkeeper.domain.return_urls import ReturnPolicy
from tollkeeper.domain.usage import normalise_usage

POOLS = (
    "input, cached_input, cache_write_5m, cache_write_1h, output, reasoning, "
    "audio_input, audio_output, cached_audio_input, image_input, cached_image_input, "
    "image_output, video_input, video_output, total"
)
URLS = ReturnPolicy(("https://app.example.com", "https://shop.example.com"))
Refused = Callable[[], object]


def give_back(account: Account, kind: EntryKind, **facts: object) -> object:
    """A refund is asked of an entry of that kind, which charged one credit."""
    account, entry = charged(account, a_run())
    command = GiveBack(a_key("r"), "h", replace(entry, kind=kind), EntryKind.REFUND, **facts)  # type: ignore[arg-type]
    return decide_give_back(draft_of(account), command)


def grant(account: Account, amount: int = ONE, *, lasts: timedelta | None = None) -> object:
    """An operator's grant is asked for."""
    command = GiveGrant(
        a_key("g"),
        "h",
        "r",
        amount_microcredits=amount,
        expires_at=None if lasts is None else NOON + lasts,
    )
    return decide_grant(draft_of(account), command)


def full(count: int) -> Account:
    """An account with so many grants."""
    grants = tuple(a_grant(number, 0) for number in range(count))
    return replace(an_account("deep"), grants=grants)


def stand(kind: EntryKind) -> object:
    """A change of standing is asked of a closed account."""
    account = replace(an_account(), status=Status.CLOSED)
    return decide_standing(draft_of(account), ChangeStanding(a_key(), "h", "r", kind=kind))


def plan(name: str) -> object:
    """A change to that plan is asked for."""
    return decide_plan_change(
        draft_of(an_account()), ChangePlan(a_key(), "h", "r", plan=name), CATALOG
    )


def price(operation: str, **facts: object) -> object:
    """A run is priced."""
    return price_run(Consumption(operation, **facts), CATALOG)  # type: ignore[arg-type]


TOO_LARGE = "must not be greater than 1000000000"
INVALID: list[tuple[str, Refused, str, str]] = [
    ("bool", lambda: parse_micro(True, "a"), "a", "must be a number or a string of digits"),
    (
        "text",
        lambda: parse_micro("1e3", "a"),
        "a",
        "must be a plain decimal number such as 12 or 0.5",
    ),
    ("nan", lambda: parse_micro(Decimal("NaN"), "a"), "a", "must be a finite number"),
    ("huge", lambda: parse_micro(Decimal("1e13"), "a"), "a", TOO_LARGE),
    ("large", lambda: parse_micro("1000000000.000001", "a"), "a", TOO_LARGE),
    (
        "digits",
        lambda: parse_micro(Decimal("0." + "1" * 41), "a"),
        "a",
        "has more digits than any amount",
    ),
    ("long", lambda: parse_micro(Decimal("0." + "1" * 40), "a"), "a", "has more than six decimals"),
    ("seventh", lambda: parse_micro("0.0000001", "a"), "a", "has more than six decimals"),
    ("nothing", lambda: parse_micro("0", "a"), "a", "must be greater than 0"),
    (
        "id",
        lambda: parse_id("a b", "account"),
        "account",
        "must be 1 to 128 of A-Z a-z 0-9 _ . : @ | -",
    ),
    (
        "key",
        lambda: caller_key(""),
        "Idempotency-Key",
        "must be 1 to 128 of A-Z a-z 0-9 _ . : @ | -",
    ),
    ("entry", lambda: read_key("x~1"), "key", "is not the key of an entry"),
    (
        "no charge",
        lambda: give_back(an_account(), EntryKind.GRANT),
        "key",
        "names a grant entry; only a charge can be given back",
    ),
    (
        "above",
        lambda: give_back(an_account(), EntryKind.CHARGE, amount_microcredits=ONE + 1),
        "amount",
        "is above the 1 credits that it charged",
    ),
    (
        "expiry",
        lambda: grant(an_account(), lasts=timedelta(0)),
        "expires_at",
        "must be later than now and than effective_at",
    ),
    (
        "room",
        lambda: grant(an_account(), 10**15),
        "amount",
        "would take the account above 1000000000 credits",
    ),
    (
        "plan",
        lambda: plan("gold"),
        "plan",
        "'gold' is not in the catalog; it has deep, free, keep, month, pro",
    ),
    ("closed", lambda: stand(EntryKind.UNFREEZE), "account", "is closed for good"),
    ("part", lambda: price("sms", quantity_micro=1), "quantity", "must be a whole number for sms"),
    (
        "costs",
        lambda: price("video", quantity_micro=10**15),
        "quantity",
        "costs more than one account can hold",
    ),
    (
        "no usage",
        lambda: price("chat", model="gpt-4"),
        "usage",
        "is needed: chat is priced by tokens",
    ),
    (
        "pool",
        lambda: normalise_usage({"inputs": 1, "input": 1}),
        "usage.inputs",
        f"is no token pool; known are {POOLS}",
    ),
    (
        "count",
        lambda: normalise_usage({"input": -1}),
        "usage.input",
        "must be a whole number of tokens from 0 to 1000000000000",
    ),
    (
        "impossible",
        lambda: normalise_usage({"prompt_tokens": -1}),
        "usage",
        "holds no possible token count",
    ),
    (
        "seconds",
        lambda: price("chat", model="gpt-4", usage=normalise_usage({"seconds": 7})),
        "usage",
        "counts seconds, not tokens; send them as a quantity",
    ),
    (
        "strange",
        lambda: normalise_usage({"x": 7}),
        "usage",
        "is not recognised; send token counts such as input and output, or the usage object of "
        "OpenAI (and whoever answers like it), Anthropic, Gemini, Bedrock, Cohere, Ollama, "
        "the AI SDK, LangChain or pydantic-ai",
    ),
    (
        "url",
        lambda: URLS.refuse_others("a b", "u"),
        "u",
        "must be a plain URL with no blanks, quotes, backslash or #",
    ),
    ("no url", lambda: URLS.refuse_others("https://[x/", "u"), "u", "must be a URL"),
    ("user", lambda: URLS.refuse_others("https://a@b/", "u"), "u", "must not name a user"),
    (
        "scheme",
        lambda: URLS.refuse_others("ftp://b/", "u"),
        "u",
        "must be an https URL with a host and a valid port",
    ),
    (
        "origin",
        lambda: URLS.refuse_others("https://b/", "u"),
        "u",
        "must be on an origin that is allowed: https://app.example.com, https://shop.example.com",
    ),
    (
        "no origin",
        lambda: ReturnPolicy(()).refuse_others("https://b/", "u"),
        "u",
        "must be on an origin that is allowed: no origin",
    ),
]


@pytest.mark.parametrize(
    ("ask", "member", "reason"), [row[1:] for row in INVALID], ids=[row[0] for row in INVALID]
)
def test_a_value_that_cannot_be_used_is_named_with_what_would_be_right(
    ask: Refused, member: str, reason: str
) -> None:
    with pytest.raises(InvalidError) as refusal:
        ask()

    assert refusal.value.problems == ((member, reason),)
    assert refusal.value.detail == f"{member} {reason}"


def test_several_wrong_members_are_told_at_once() -> None:
    error = InvalidError.of_many((("amount", "is missing"), ("plan", "is unknown")))

    assert error.problems == (("amount", "is missing"), ("plan", "is unknown"))
    assert error.detail == "amount is missing; plan is unknown"
    assert InvalidError.of_many((("plan", "is unknown"),)).detail == "plan is unknown"


OTHERS: list[tuple[str, Refused, type[TollkeeperError], str]] = [
    (
        "grants",
        lambda: grant(full(MOST_GRANTS)),
        GrantLimitError,
        "The account holds 40 grants; let some be used first.",
    ),
    (
        "adjustment",
        lambda: decide_adjustment(
            draft_of(an_account()), Adjust(a_key(), "h", "r", delta_microcredits=-11 * ONE)
        ),
        InsufficientCreditsError,
        "An adjustment cannot take 11 credits; 10 are available.",
    ),
    (
        "feature",
        lambda: refuse_unable(an_account(), a_run("call", quantity=4 * ONE), CATALOG),
        FeatureLimitError,
        "The plan free allows call 3 times in a period; 0 are used and this needs 4.",
    ),
    (
        "model",
        lambda: price("chat", model="x-1"),
        UnknownModelError,
        "Operation 'chat' has no price for model 'x-1'. Priced: gpt-4, gpt-3.5.",
    ),
    (
        "no model",
        lambda: price("image"),
        UnknownModelError,
        "Operation 'image' has a price per model; name the model. Priced: gpt-4, gpt-3.5.",
    ),
    (
        "operation",
        lambda: price("dance"),
        UnknownOperationError,
        "The catalog has no operation 'dance'.",
    ),
    (
        "with model",
        lambda: refuse_unable(an_account(), a_run("image", model="gpt-4"), CATALOG),
        InsufficientCreditsError,
        "image with gpt-4 needs 60 credits; 10 are available.",
    ),
]


@pytest.mark.parametrize(
    ("ask", "kind", "detail"), [row[1:] for row in OTHERS], ids=[row[0] for row in OTHERS]
)
def test_a_refusal_says_what_stands_in_the_way(
    ask: Refused, kind: type[TollkeeperError], detail: str
) -> None:
    with pytest.raises(kind) as refusal:
        ask()

    assert refusal.value.detail == detail


def test_an_unpriced_model_is_told_with_what_is_priced() -> None:
    with pytest.raises(UnknownModelError) as refusal:
        price("chat", model="x-1")

    error = refusal.value
    assert (error.operation, error.model, error.known) == ("chat", "x-1", ("gpt-4", "gpt-3.5"))


def test_an_unpriced_operation_is_told_by_its_name() -> None:
    with pytest.raises(UnknownOperationError) as refusal:
        price("dance")

    assert refusal.value.operation == "dance"


def test_a_wrong_catalog_is_told_by_file_place_and_reason() -> None:
    error = CatalogError("catalog.toml", "plans.free", "needs a name")

    assert error.detail == "catalog.toml: plans.free: needs a name"
    assert (error.file, error.key, error.reason) == ("catalog.toml", "plans.free", "needs a name")


def test_a_refused_feature_says_what_the_account_has_though_credits_are_not_the_matter() -> None:
    account = replace(an_account(), features={"call": 3})

    with pytest.raises(FeatureLimitError) as refusal:
        refuse_unable(account, a_run("call"), CATALOG)

    error = refusal.value
    position = error.position
    assert (position.required_microcredits, position.available_microcredits) == (ONE, 10 * ONE)
    assert (position.spendable_microcredits, error.shortfall_microcredits) == (10 * ONE, 0)


def test_a_correction_that_is_too_large_says_what_is_there() -> None:
    account, _ = charged(an_account("deep"), a_run("call", quantity=2 * ONE))

    with pytest.raises(InsufficientCreditsError) as refusal:
        decide_adjustment(draft_of(account), Adjust(a_key(), "h", "r", delta_microcredits=-ONE))

    error = refusal.value
    assert error.position.required_microcredits == ONE
    position = error.position
    assert (position.available_microcredits, position.spendable_microcredits) == (-2 * ONE, 0)
    assert error.shortfall_microcredits == ONE


def test_a_tiny_amount_is_refused_however_many_zeros_it_is_written_with() -> None:
    assert parse_micro(Decimal("1." + "0" * 39), "a") == ONE
    with pytest.raises(InvalidError, match="six decimals"):
        parse_micro(Decimal("1" + "0" * 39 + "E-46"), "a")
