"""What goes wrong, how often, and how often it did."""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from itertools import accumulate
from random import Random

from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

READ = (
    "crash_before",
    "crash_after",
    "throttled",
    "error_before",
    "lost_before",
    "lost_after",
    "slow",
)
WRITE = (*READ, "conflict", "error_after", "reset_after", "zombie")
STALE = ("stale_item", "stale_index", "page_cut")
OUTSIDE = (
    "secret_unreadable",
    "stripe_refused",
    "stripe_answer_lost",
    "card_refused",
    "card_answer_lost",
    "card_crash",
    "answer_lost",
    "invocation_lost",
    "duplicate_request",
    "other_body",
    "late_retry",
    "late_replay",
)
DELIVERY = (
    "event_duplicate",
    "event_shuffled",
    "event_late",
    "event_forged",
    "event_old",
    "event_future",
    "event_second_type",
    "event_test_mode",
    "event_other_money",
    "event_forgotten",
    "money_back",
    "renewal_late",
    "renewal_missing",
    "webhook_lost",
    "top_up_event_lost",
)
SCHEDULE = ("sweep_double", "sweep_missed")
MACHINE = ("clock_skew", "two_versions")
KINDS = (*WRITE, *STALE, *OUTSIDE, *DELIVERY, *SCHEDULE, *MACHINE)

PAYLOAD = "http://localhost"


class Faults:
    """The faults of one storm. `counts` are those that were injected, by kind.

    Why: every storm leaves out some kinds and draws its own rates, because a storm of everything
    at once hides what two faults alone would show.
    """

    def __init__(self, random: Random) -> None:
        self.random = random
        self.counts: Counter[str] = Counter()
        self.is_over = False
        self.rate = random.choice((0.0, 0.05, 0.1, 0.2, 0.3, 0.45))
        self._read = self._draw(READ)
        self._write = self._draw(WRITE)
        self._allowed = {kind for kind in KINDS if random.random() < 0.7}

    def _draw(self, kinds: tuple[str, ...]) -> tuple[tuple[str, ...], list[float]]:
        weights = [self.random.choice((0.0, 0.3, 1.0)) for _ in kinds]
        return kinds, list(accumulate(weights))

    def at_call(self, *, is_write: bool) -> str:
        """The fault of this call to the database, or nothing."""
        if self.is_over or self.random.random() >= self.rate:
            return ""
        kinds, sums = self._write if is_write else self._read
        if not sums[-1]:
            return ""
        kind = kinds[min(bisect(sums, self.random.random() * sums[-1]), len(kinds) - 1)]
        self.counts[kind] += 1
        return kind

    def strikes(self, kind: str, rate: float | None = None) -> bool:
        """Whether this fault happens here; it is counted where it does."""
        if self.is_over or kind not in self._allowed:
            return False
        if self.random.random() >= (self.rate if rate is None else rate):
            return False
        self.counts[kind] += 1
        return True


def make_error(kind: str, operation: str, request: dict[str, object]) -> Exception:
    """What the SDK raises for the fault."""
    if kind in ("lost_before", "lost_after", "zombie"):
        return ReadTimeoutError(endpoint_url=PAYLOAD)
    if kind == "reset_after":
        return ConnectionClosedError(endpoint_url=PAYLOAD)
    if kind == "conflict":
        return _conflict(operation, request)
    code, status = "InternalServerError", 500
    if kind == "throttled":
        code, status = "ThrottlingException", 400
    response: dict[str, object] = {
        "Error": {"Code": code, "Message": kind},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, operation)  # type: ignore[arg-type]


def _conflict(operation: str, request: dict[str, object]) -> ClientError:
    """Another transaction is at the first item. Source: the API's CancellationReasons."""
    slots = request["TransactItems"]
    assert isinstance(slots, list)
    reasons = [{"Code": "TransactionConflict"}, *[{"Code": "None"}] * (len(slots) - 1)]  # pyright: ignore
    response: dict[str, object] = {
        "Error": {"Code": "TransactionCanceledException", "Message": "conflict"},
        "ResponseMetadata": {"HTTPStatusCode": 400},
        "CancellationReasons": reasons,
    }
    return ClientError(response, operation)  # type: ignore[arg-type]
