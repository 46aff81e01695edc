"""What an answer of the table means: busy, unknown, contended, applied before, or a bug."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from tests.golden import stored
from tests.unit.building import ACCOUNT
from tests.unit.ledgers import (
    TABLE,
    Answering,
    cancelled,
    opening,
    refused,
    voiding,
)
from tollkeeper.domain.draft import Decision
from tollkeeper.domain.errors import BusyError
from tollkeeper.store.items import entry_to_item
from tollkeeper.store.ledger import (
    BUSY_CODES,
    UNLUCKY_REASONS,
    AppliedBeforeError,
    ContendedError,
    Ledger,
    UnansweredError,
)
from tollkeeper.store.writes import (
    decision_to_writes,
)

FAILED = "ConditionalCheckFailed"


def attempt_write(ledger: Ledger) -> None:
    """A decision is written."""
    ledger.write_decision(opening())


ATTEMPTS: dict[str, Callable[[Ledger], object]] = {
    "write": attempt_write,
    "read": lambda ledger: ledger.read_account(ACCOUNT, is_strong=True),
    "history": lambda ledger: ledger.read_history(ACCOUNT, below_seq=None, limit=5),
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
@pytest.mark.parametrize("code", sorted(BUSY_CODES))
def test_a_busy_database_is_told_as_busy_so_that_the_caller_tries_again(
    attempt: str, code: str
) -> None:
    ledger = Ledger(Answering(error=refused(code)), TABLE)

    with pytest.raises(UnansweredError, match=r"^The ledger is busy\.$") as caught:
        ATTEMPTS[attempt](ledger)

    assert isinstance(caught.value, BusyError)


@pytest.mark.parametrize("attempt", ATTEMPTS)
@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "ValidationException", "ResourceNotFoundException"]
)
def test_a_refusal_that_will_not_pass_by_itself_is_not_hidden(attempt: str, code: str) -> None:
    error = refused(code)

    with pytest.raises(ClientError) as caught:
        ATTEMPTS[attempt](Ledger(Answering(error=error), TABLE))

    assert caught.value is error


@pytest.mark.parametrize("attempt", ATTEMPTS)
@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url="https://dynamodb"),
        ConnectTimeoutError(endpoint_url="https://dynamodb"),
        EndpointConnectionError(endpoint_url="https://dynamodb"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_silence_is_told_as_an_unknown_outcome(attempt: str, error: Exception) -> None:
    """Why: what was sent may be written, so only the same key may be tried again."""
    with pytest.raises(UnansweredError, match=r"^The ledger did not answer in time\.$"):
        ATTEMPTS[attempt](Ledger(Answering(error=error), TABLE))


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_an_error_without_a_code_is_not_taken_for_a_busy_database(attempt: str) -> None:
    with pytest.raises(ClientError):
        ATTEMPTS[attempt](Ledger(Answering(error=ClientError({}, "Any")), TABLE))


@pytest.mark.parametrize("reason", sorted(UNLUCKY_REASONS))
@pytest.mark.parametrize("slot", [0, 2])
def test_a_transaction_that_was_unlucky_in_any_slot_may_be_tried_again(
    reason: str, slot: int
) -> None:
    reasons = ["None"] * 3
    reasons[slot] = reason

    with pytest.raises(ContendedError):
        attempt_write(Ledger(Answering(error=cancelled(*reasons)), TABLE))


def slots(decision: Decision) -> dict[str, int]:
    """Where the first slot of each role is."""
    roles = [write.role for write in decision_to_writes(decision)]
    return {role: roles.index(role) for role in roles}


def reasons_at(decision: Decision, **failed: str | dict[str, Any]) -> ClientError:
    """The cancelled transaction with a reason at the first slot of each of these roles."""
    places = slots(decision)
    reasons: list[str | dict[str, Any]] = ["None"] * len(decision_to_writes(decision))
    for role, reason in failed.items():
        reasons[places[role]] = reason
    return cancelled(*reasons)


def test_whether_the_key_was_applied_is_judged_before_everything_else() -> None:
    decision = voiding(opening())
    there = {"Code": FAILED, "Item": entry_to_item(stored.BARE_ENTRY)}
    error = reasons_at(decision, account=FAILED, answer=there, returned="TransactionConflict")

    with pytest.raises(AppliedBeforeError) as caught:
        Ledger(Answering(error=error), TABLE).write_decision(decision)

    assert caught.value.entry == stored.BARE_ENTRY


def test_a_moved_account_explains_a_row_or_a_mark_that_is_there() -> None:
    """Why: whoever moved the account may have written that row; it is no sign of corruption."""
    decision = voiding(opening())
    error = reasons_at(decision, account=FAILED, returned=FAILED)

    with pytest.raises(ContendedError):
        Ledger(Answering(error=error), TABLE).write_decision(decision)


def test_bad_luck_in_one_slot_leaves_open_what_the_others_mean() -> None:
    decision = voiding(opening())
    error = reasons_at(decision, account="TransactionConflict", returned=FAILED)

    with pytest.raises(ContendedError):
        Ledger(Answering(error=error), TABLE).write_decision(decision)


def test_a_cancellation_for_a_reason_nobody_knows_is_not_hidden() -> None:
    error = cancelled("None", "ItemCollectionSizeLimitExceeded", "None")

    with pytest.raises(ClientError) as caught:
        attempt_write(Ledger(Answering(error=error), TABLE))

    assert caught.value is error


def test_a_cancellation_without_reasons_is_not_hidden() -> None:
    with pytest.raises(ClientError):
        attempt_write(Ledger(Answering(error=refused("TransactionCanceledException")), TABLE))
