"""The errors of DynamoDB, as botocore raises them."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError


class UnsupportedError(NotImplementedError):
    """DynamoDB may well do this; SimStore does not, and will not guess."""


class InvalidError(Exception):
    """A request is wrong. The store raises it as the operation's ValidationException."""


class FlawError(Exception):
    """An item or key does not fit the table. Why: a transaction gives it as its slot's reason."""


def make_error(code: str, message: str, operation: str, **more: Any) -> ClientError:
    """The error that botocore makes of such an answer. Shape: `more` are its other members."""
    response: dict[str, Any] = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": 400, "RetryAttempts": 0},
        **more,
    }
    return ClientError(response, operation)  # type: ignore[arg-type]


def make_cancelled(reasons: list[dict[str, Any]]) -> ClientError:
    """A transaction that was cancelled, with a reason for each of its slots."""
    codes = ", ".join(str(reason["Code"]) for reason in reasons)
    message = (
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    )
    return make_error(
        "TransactionCanceledException",
        message,
        "TransactWriteItems",
        Message=message,
        CancellationReasons=reasons,
    )
