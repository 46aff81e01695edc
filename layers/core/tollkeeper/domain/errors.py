"""Every refusal and failure that Tollkeeper can answer with, each with a stable code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


class TollkeeperError(Exception):
    """The root: nothing of ours is raised that is not one of these."""

    code = "internal"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class MalformedError(TollkeeperError):
    """The request could not be read at all."""

    code = "malformed"


class TooLargeError(TollkeeperError):
    """The request is larger than any real one."""

    code = "too_large"


class InvalidError(TollkeeperError):
    """A member has a value that cannot be used."""

    code = "invalid"

    def __init__(self, member: str, reason: str) -> None:
        super().__init__(f"{member} {reason}")
        self.problems: tuple[tuple[str, str], ...] = ((member, reason),)

    @classmethod
    def of_many(cls, problems: tuple[tuple[str, str], ...]) -> InvalidError:
        """One error that carries each member with its reason."""
        error = cls(*problems[0])
        error.problems = problems
        error.detail = "; ".join(f"{member} {reason}" for member, reason in problems)
        return error


class UnknownOperationError(TollkeeperError):
    """The catalog prices no such operation."""

    code = "unknown_operation"

    def __init__(self, operation: str) -> None:
        super().__init__(f"The catalog has no operation {operation!r}.")
        self.operation = operation


class UnknownModelError(TollkeeperError):
    """The operation has no price for this model, and an unknown model is never free."""

    code = "unknown_model"

    def __init__(self, operation: str, model: str | None, known: tuple[str, ...]) -> None:
        named = f"no price for model {model!r}" if model else "a price per model; name the model"
        super().__init__(f"Operation {operation!r} has {named}. Priced: {', '.join(known)}.")
        self.operation = operation
        self.model = model
        self.known = known


class UnauthorizedError(TollkeeperError):
    """Nobody we know asks."""

    code = "unauthorized"


class ForbiddenError(TollkeeperError):
    """The key is known and may not do this."""

    code = "forbidden"


class NotFoundError(TollkeeperError):
    """There is no such thing, or it belongs to somebody else."""

    code = "not_found"


class AccountFrozenError(TollkeeperError):
    """An operator froze the account: it cannot spend until it is unfrozen."""

    code = "account_frozen"


class AccountClosedError(TollkeeperError):
    """The account is closed for good: it cannot spend."""

    code = "account_closed"


@dataclass(frozen=True, slots=True)
class Position:
    """Where an account stands when it is refused. Units: micro-credits.

    `level` names what refuses: the account, or the budget that it is. `missing_microcredits` is
    what has to come in, where that is not just what is required above what may be spent.
    """

    required_microcredits: int
    available_microcredits: int
    spendable_microcredits: int
    held_microcredits: int = 0
    level: str = "account"
    missing_microcredits: int | None = None


class InsufficientCreditsError(TollkeeperError):
    """The account cannot pay. Units: micro-credits. `help` is what the caller can do next."""

    code = "insufficient_credits"

    def __init__(
        self,
        detail: str,
        position: Position,
        *,
        blocking: str = "balance",
        resets_at: datetime | None = None,
        help_: object = None,
    ) -> None:
        super().__init__(detail)
        self.position = position
        self.blocking = blocking
        self.resets_at = resets_at
        self.help = help_

    @property
    def shortfall_microcredits(self) -> int:
        """How much is missing. Units: micro-credits."""
        position = self.position
        if position.missing_microcredits is not None:
            return position.missing_microcredits
        return max(0, position.required_microcredits - position.spendable_microcredits)


class LimitReachedError(InsufficientCreditsError):
    """A limit of what may be spent would be passed. Units: micro-credits.

    `spent_microcredits` counts open holds too, since they may still be spent in the window.
    """

    code = "limit_reached"

    def __init__(
        self,
        detail: str,
        position: Position,
        *,
        blocking: str,
        limit_microcredits: int,
        spent_microcredits: int,
        resets_at: datetime | None = None,
    ) -> None:
        super().__init__(detail, position, blocking=blocking, resets_at=resets_at)
        self.limit_microcredits = limit_microcredits
        self.spent_microcredits = spent_microcredits

    @property
    def shortfall_microcredits(self) -> int:
        """How much the limit lacks. Units: micro-credits."""
        room = max(0, self.limit_microcredits - self.spent_microcredits)
        return max(0, self.position.required_microcredits - room)


class FeatureLimitError(InsufficientCreditsError):
    """The plan's count for this feature is used up until the period resets."""

    code = "feature_limit"

    def __init__(
        self,
        detail: str,
        position: Position,
        *,
        feature: str,
        used: int,
        limit: int,
        resets_at: datetime | None,
        help_: object = None,
    ) -> None:
        super().__init__(
            detail, position, blocking="feature_limit", resets_at=resets_at, help_=help_
        )
        self.feature = feature
        self.used = used
        self.limit = limit


class BusyError(TollkeeperError):
    """Too much at once, or an answer got lost: the same request with the same key is safe."""

    code = "busy"


class HoldLimitError(TollkeeperError):
    """The account has as many open holds as it may."""

    code = "hold_limit"


class HoldClosedError(TollkeeperError):
    """The hold is not open any more. `state` says what it is: settled, released or expired."""

    code = "hold_closed"

    def __init__(self, hold: str, state: str) -> None:
        super().__init__(f"The hold {hold} is {state}; nothing was changed.")
        self.hold = hold
        self.state = state


class HoldMissingError(TollkeeperError):
    """The account has no open hold of that id: it was closed, or never opened."""

    code = "not_found"


class SettleAboveHoldError(TollkeeperError):
    """The usage is above the hold, and the plan refuses that. The hold stays open."""

    code = "settle_above_hold"


class ExtendLimitError(TollkeeperError):
    """The hold was extended as often as a hold may be."""

    code = "extend_limit"


class HoldsOpenError(TollkeeperError):
    """A budget cannot be closed while calls that it pays for are under way."""

    code = "holds_open"


class PriceVersionError(BusyError):
    """The prices that a hold or quote is pinned to are not here yet. `version` is their digest."""

    def __init__(self, version: str) -> None:
        super().__init__("The prices that this was opened with cannot be read now; try again.")
        self.version = version


class QuoteExpiredError(TollkeeperError):
    """The quote is not valid any more: it expired, or it was made for something else."""

    code = "quote_expired"


class AlreadyRefundedError(TollkeeperError):
    """The charge was given back before, under another key."""

    code = "already_refunded"


class AlreadyReratedError(TollkeeperError):
    """The charge was priced anew before, under another key."""

    code = "already_rerated"


class NotPendingError(TollkeeperError):
    """The price of this charge is final: it was never quarantined."""

    code = "not_pending"


class StillUnknownError(TollkeeperError):
    """The catalog does not know the model of this charge yet."""

    code = "still_unknown"


class GrantLimitError(TollkeeperError):
    """The account holds as many grants as one account may."""

    code = "grant_limit"


class IdempotencyMismatchError(TollkeeperError):
    """The key was used before for another request."""

    code = "idempotency_mismatch"


class PaymentsUnavailableError(TollkeeperError):
    """Stripe did not answer as it should; nothing was changed here."""

    code = "payments_unavailable"


class NoCustomerError(TollkeeperError):
    """The account never paid, so Stripe knows no customer for it."""

    code = "no_customer"


class UnknownCodeError(TollkeeperError):
    """There is no such promo code."""

    code = "unknown_code"


class CodeUsedError(TollkeeperError):
    """The account redeemed this promo code before."""

    code = "code_used"


class CodeExhaustedError(TollkeeperError):
    """The promo code was redeemed as often as it may be, by all accounts together."""

    code = "code_exhausted"


class CodeExpiredError(TollkeeperError):
    """The promo code has ended, or was deactivated."""

    code = "code_expired"


class CodeNotForPlanError(TollkeeperError):
    """The promo code is for accounts on other plans."""

    code = "code_not_for_plan"


class CodeExistsError(TollkeeperError):
    """A promo code of that name was made before, under another key."""

    code = "code_exists"


class NotRefundableError(TollkeeperError):
    """The purchase's money cannot go back, or not so much of it; nothing was changed."""

    code = "not_refundable"


class AlreadyResolvedError(TollkeeperError):
    """The case was resolved before, under another key."""

    code = "already_resolved"


class LedgerCorruptError(TollkeeperError):
    """A row exists that no sequence of commands could have written. A person must look."""

    code = "ledger_corrupt"


class CatalogError(TollkeeperError):
    """The catalog file is wrong. It names the file, the key and the reason."""

    code = "catalog"

    def __init__(self, file: str, key: str, reason: str) -> None:
        super().__init__(f"{file}: {key}: {reason}")
        self.file = file
        self.key = key
        self.reason = reason
