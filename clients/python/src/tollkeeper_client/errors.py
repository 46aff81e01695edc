"""Everything that can go wrong, under one root, each with the fields its reader acts on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, cast


class TollkeeperClientError(Exception):
    """The root of all errors of this package."""


class InvalidArgumentError(TollkeeperClientError, ValueError):
    """What was given cannot be sent; nothing was."""


class InvalidAmountError(InvalidArgumentError):
    """An amount is no exact decimal number."""


class UsageUnreadableError(InvalidArgumentError):
    """What was given as usage is neither counts nor the answer of a provider."""


class JournalError(TollkeeperClientError):
    """The journal cannot be read or written."""


class UnreadableAnswerError(TollkeeperClientError):
    """An answer came that is not Tollkeeper's; for a write the outcome is unknown."""


class UnavailableError(TollkeeperClientError):
    """No answer of use came before the deadline.

    Shape: where `is_outcome_unknown`, a try may have been applied: the same call with the same
    key is safe, and a new key may charge twice. Else no try left this machine.
    """

    is_outcome_unknown: bool = True


class NoAnswerError(UnavailableError):
    """The network gave no answer: refused, cut off or timed out."""


class FailOpenLimitError(UnavailableError):
    """Tollkeeper cannot be reached, and as much as may go ahead without it already did."""


class SettleRefusedError(TollkeeperClientError):
    """The run is done, and Tollkeeper refuses to charge it; the journal keeps the settle.

    Shape: `result` is what the function returned, so that it is not lost; `__cause__` says why.
    """

    def __init__(self, message: str, *, result: object = None) -> None:
        super().__init__(message)
        self.result = result


@dataclass(eq=False)
class ApiError(TollkeeperClientError):
    """Tollkeeper refused. `members` has all that the problem says, amounts as int or Decimal."""

    status: int
    code: str
    detail: str
    request_id: str | None = None
    retry_after_s: float | None = None
    members: Mapping[str, object] = field(default_factory=dict[str, object], repr=False)

    # The problem's code, where the class stands for one.
    CODE: ClassVar[str] = ""

    def __str__(self) -> str:
        asked = f" [request {self.request_id}]" if self.request_id else ""
        return f"{self.detail or self.code} ({self.status} {self.code}){asked}"

    def _decimal(self, name: str) -> Decimal | None:
        value = self.members.get(name)
        return Decimal(value) if isinstance(value, (int, Decimal)) else None

    def _text(self, name: str) -> str | None:
        value = self.members.get(name)
        return value if isinstance(value, str) else None

    def _rows(self, name: str) -> tuple[Mapping[str, object], ...]:
        value = self.members.get(name)
        rows = cast("Sequence[object]", value) if isinstance(value, list) else ()
        return tuple(cast("Mapping[str, object]", row) for row in rows if isinstance(row, dict))


class MalformedError(ApiError):
    """The request could not be read."""

    CODE = "malformed"


class UnauthorizedError(ApiError):
    """The key is unknown, revoked or expired."""

    CODE = "unauthorized"


class InsufficientCreditsError(ApiError):
    """The account cannot pay for this run; what would help stands beside it."""

    CODE = "insufficient_credits"

    @property
    def required(self) -> Decimal:
        """What the run needs."""
        return self._decimal("required") or Decimal(0)

    @property
    def available(self) -> Decimal:
        """What the account has."""
        return self._decimal("available") or Decimal(0)

    @property
    def spendable(self) -> Decimal:
        """What the account may spend, an overdraft included."""
        return self._decimal("spendable") or Decimal(0)

    @property
    def held(self) -> Decimal:
        """What is set aside for other runs."""
        return self._decimal("held") or Decimal(0)

    @property
    def shortfall(self) -> Decimal:
        """What is missing."""
        return self._decimal("shortfall") or Decimal(0)

    @property
    def blocking(self) -> str:
        """The rule that stands in the way, such as `balance` or `daily_limit`."""
        return self._text("blocking") or "balance"

    @property
    def level(self) -> str | None:
        """Whose rule it is: `account`, `budget` or `parent`."""
        return self._text("level")

    @property
    def resets_at(self) -> datetime | None:
        """When more comes by itself, with the account's zone."""
        text = self._text("resets_at")
        return None if text is None else datetime.fromisoformat(text)

    @property
    def offers(self) -> tuple[Mapping[str, object], ...]:
        """Packs that would cover it: pack, credits, price, currency."""
        return self._rows("offers")

    @property
    def plans(self) -> tuple[Mapping[str, object], ...]:
        """Plans that would cover it."""
        return self._rows("plans")

    @property
    def affordable(self) -> Mapping[str, object]:
        """What would fit: tokens, and models that cost less."""
        value = self.members.get("affordable")
        return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


class LimitReachedError(InsufficientCreditsError):
    """A spend limit stands in the way; `blocking` names it."""

    CODE = "limit_reached"

    @property
    def limit(self) -> Decimal | None:
        """The limit."""
        return self._decimal("limit")

    @property
    def spent(self) -> Decimal | None:
        """What counts against it in its window."""
        return self._decimal("spent")


class FeatureLimitError(InsufficientCreditsError):
    """The plan's count for the feature is used up."""

    CODE = "feature_limit"

    @property
    def feature(self) -> str | None:
        """The feature."""
        return self._text("feature")


class ForbiddenError(ApiError):
    """The key may not do this."""

    CODE = "forbidden"


class AccountFrozenError(ForbiddenError):
    """An operator froze the account."""

    CODE = "account_frozen"


class AccountClosedError(ForbiddenError):
    """The account is closed for good."""

    CODE = "account_closed"


class NotFoundError(ApiError):
    """No such account, hold, entry or route."""

    CODE = "not_found"


class ConflictError(ApiError):
    """The state of things does not allow it."""


class HoldClosedError(ConflictError):
    """The hold was released, settled or has expired; `state` says which."""

    CODE = "hold_closed"

    @property
    def state(self) -> str | None:
        """What became of the hold."""
        return self._text("state")


class SettleAboveHoldError(ConflictError):
    """The run used more than was set aside, and the plan refuses that; the hold stays open."""

    CODE = "settle_above_hold"


class ExtendLimitError(ConflictError):
    """The hold was extended as often as holds may be."""

    CODE = "extend_limit"


class AlreadyRefundedError(ConflictError):
    """The charge was given back under another key."""

    CODE = "already_refunded"


class TooLargeError(ApiError):
    """The request is too large."""

    CODE = "too_large"


class InvalidRequestError(ApiError):
    """A member of the request cannot be used."""

    CODE = "invalid"

    @property
    def errors(self) -> tuple[tuple[str, str], ...]:
        """Each member with its reason."""
        rows = self._rows("errors")
        return tuple((str(row.get("member")), str(row.get("reason"))) for row in rows)


class UnknownOperationError(InvalidRequestError):
    """The catalog has no such operation."""

    CODE = "unknown_operation"


class UnknownModelError(InvalidRequestError):
    """The operation has no price for the model."""

    CODE = "unknown_model"


class IdempotencyMismatchError(InvalidRequestError):
    """The key was used for another request."""

    CODE = "idempotency_mismatch"


class QuoteExpiredError(InvalidRequestError):
    """The quote's prices hold no longer."""

    CODE = "quote_expired"


class ThrottledError(ApiError):
    """Too many requests, for longer than the deadline."""


class HoldLimitError(ThrottledError):
    """The account has as many open holds as it may have."""

    CODE = "hold_limit"


class ServerError(ApiError):
    """Tollkeeper failed; the same request with the same key is safe."""


class BusyError(ServerError, UnavailableError):
    """Tollkeeper was busy or out of reach until the deadline; the outcome is unknown."""

    CODE = "busy"
