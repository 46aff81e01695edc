"""How a client is put together, the same for both."""

from __future__ import annotations

import os
from collections.abc import Callable

import httpx

from tollkeeper_client.core import Core
from tollkeeper_client.errors import InvalidArgumentError
from tollkeeper_client.journal import Journal
from tollkeeper_client.runs import FailOpen, Run
from tollkeeper_client.sending import Patience, Port
from tollkeeper_client.surroundings import Surroundings
from tollkeeper_client.usage import find_report


def server_of(base_url: str) -> str:
    """The base URL in the one form that the journal knows it by.

    Raises: InvalidArgumentError where it is none.
    """
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, TypeError) as error:
        raise InvalidArgumentError(f"base_url is no URL: {error}") from None
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        raise InvalidArgumentError("base_url is such as https://api.example.com, without a user")
    return str(url).rstrip("/")


def make_core(
    port: Port,
    *,
    server: str,
    journal: str | os.PathLike[str] | None,
    fail_open: FailOpen | None,
    local_operations: frozenset[str],
    patience: Patience,
    around: Surroundings,
) -> Core:
    """The work of a client over this port.

    Raises: InvalidArgumentError for a client that would go ahead and then forget; JournalError.
    """
    if fail_open is not None and journal is None:
        raise InvalidArgumentError("fail_open needs a journal: what runs must not be forgotten")
    return Core(
        server=server,
        port=port,
        journal=Journal(journal),
        patience=patience,
        around=around,
        local_operations=local_operations,
        fail_open=fail_open,
    )


def watcher(run: Run) -> Callable[[object], None]:
    """Reads the pieces of one call at a provider: its last report is what the call used."""
    call = run.used.begin_call()

    def see(item: object) -> None:
        report = find_report(item)
        if report is not None:
            call.see(report)

    return see
