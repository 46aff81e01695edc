"""Stripe's SDK, imported when something is asked of Stripe and not before."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from tollkeeper.domain.errors import PaymentsUnavailableError
from tollkeeper.edge.observability import log_alarm

if TYPE_CHECKING:
    import stripe

# Why: two tries fit the function's 15 seconds; the SDK itself would wait 80 for each.
TIMEOUT_S = 6
RETRIES = 1


@lru_cache(maxsize=4)
def sdk_client(api_key: str, api_url: str | None) -> stripe.StripeClient:
    """One SDK client per process, with its connections."""
    import stripe

    http_client = stripe.RequestsClient(timeout=TIMEOUT_S)
    return stripe.StripeClient(
        api_key,
        http_client=http_client,
        max_network_retries=RETRIES,
        base_addresses={"api": api_url} if api_url else None,
    )


@contextmanager
def asking_stripe(sentence: str) -> Generator[None]:
    """What Stripe refuses or does not answer within is one error with this sentence, and an alarm.

    Raises: PaymentsUnavailableError.
    """
    import stripe

    try:
        yield
    except stripe.StripeError as error:
        log_alarm("stripe refused", kind=type(error).__name__, reason=str(error)[:500])
        raise PaymentsUnavailableError(sentence) from error
