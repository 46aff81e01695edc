"""What Stripe answers where it does not do what was asked."""

from __future__ import annotations

from typing import Any


class StripeRefusedError(Exception):
    """Stripe's answer with a status of 400 or more.

    `has_begun` says that the request was carried out as far as it went, so that its answer is kept
    under its idempotency key; what only failed the check of its parameters is not.
    """

    def __init__(self, status: int, error: dict[str, Any], *, has_begun: bool = False) -> None:
        super().__init__(str(error.get("message", "")))
        self.status = status
        self.error = error
        self.has_begun = has_begun


def invalid(message: str, *, param: str = "", code: str = "") -> StripeRefusedError:
    """A request that names something that cannot be."""
    error: dict[str, Any] = {"type": "invalid_request_error", "message": message}
    if param:
        error["param"] = param
    if code:
        error["code"] = code
        error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
    return StripeRefusedError(400, error)


def refused(message: str, *, code: str = "", param: str = "") -> StripeRefusedError:
    """A request that is well formed, but cannot be done as things stand."""
    refusal = invalid(message, param=param, code=code)
    refusal.has_begun = True
    return refusal


def missing(kind: str, id_: str, *, param: str = "id", status: int = 400) -> StripeRefusedError:
    """An id that nothing has; 404 where it stands in the path."""
    refusal = invalid(f"No such {kind}: '{id_}'", param=param, code="resource_missing")
    refusal.status = status
    return refusal


def card_refused(error: dict[str, Any], payment_intent: dict[str, Any]) -> StripeRefusedError:
    """A card that the bank did not let pay: 402, with the payment as it stands now."""
    return StripeRefusedError(402, {**error, "payment_intent": payment_intent}, has_begun=True)
