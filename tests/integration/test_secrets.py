"""Secrets of a stack: read from the parameter store once, and a clear word where it is busy."""

from __future__ import annotations

from typing import Any

import botocore.session
import moto
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from tollkeeper.domain.errors import BusyError
from tollkeeper.edge.wiring import ParameterSecrets

NAME = "STRIPE_WEBHOOK_SECRET"


class FailingStore:
    """A parameter store that answers with one error."""

    class exceptions:  # noqa: N801 - the SDK's own name
        """The errors that the SDK names on the client."""

        class ParameterNotFound(Exception):  # noqa: N818 - the SDK's own name
            """No such parameter."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def create_client(self, *_: Any, **__: Any) -> FailingStore:
        """The client is the store itself."""
        return self

    def get_parameter(self, **_: Any) -> Any:
        """The error."""
        raise self.error


def fail_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """From now on the parameter store answers with that error."""
    monkeypatch.setattr(botocore.session, "get_session", lambda: FailingStore(error))


def client_error(code: str) -> ClientError:
    """What the SDK raises for the code."""
    return ClientError({"Error": {"Code": code, "Message": ""}}, "GetParameter")


def test_a_secret_is_read_once_and_a_missing_one_is_empty() -> None:
    with moto.mock_aws():
        client: Any = botocore.session.get_session().create_client("ssm")
        client.put_parameter(Name=f"/a/{NAME}", Value="whsec_1", Type="SecureString")
        secrets = ParameterSecrets("/a/")

        first = secrets.read_secret(NAME)
        client.put_parameter(
            Name=f"/a/{NAME}", Value="whsec_2", Type="SecureString", Overwrite=True
        )

        assert (first, secrets.read_secret(NAME)) == ("whsec_1", "whsec_1")
        assert secrets.read_secret("OTHER") == ""


@pytest.mark.parametrize(
    "error",
    [
        client_error("ThrottlingException"),
        client_error("InternalServerError"),
        ReadTimeoutError(endpoint_url="test"),
    ],
    ids=["throttled", "failing", "silent"],
)
def test_a_busy_parameter_store_is_busy_and_not_a_missing_secret(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    fail_with(monkeypatch, error)

    with pytest.raises(BusyError):
        ParameterSecrets("/a/").read_secret(NAME)


def test_a_secret_that_may_not_be_read_is_our_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, client_error("AccessDeniedException"))

    with pytest.raises(ClientError):
        ParameterSecrets("/a/").read_secret(NAME)
