"""The decorator's part that both clients share: who pays, read from the function's arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypedDict, cast

from tollkeeper_client.amounts import Amount
from tollkeeper_client.runs import MeterMembers, WithoutUsage

Chosen = Callable[..., Any]
"""Takes the function's arguments, as it takes them itself, to what is meant."""


def identity(item: object) -> object:
    """The item, which is read for usage as it is."""
    return item


class MeteredMembers(TypedDict, total=False):
    """What a decorated function's runs say. A callable is called with the function's arguments."""

    model: str | Chosen
    quantity: Amount | Chosen
    usage: object
    feature: str | Chosen
    service: str | Chosen
    subtype: str | Chosen
    plan: str | Chosen
    role: str | Chosen
    quote_id: str | Chosen
    per_run_max: Amount | Chosen
    metadata: Mapping[str, object] | Chosen
    estimate: Amount | Chosen
    expires_in_s: int | Chosen
    without_usage: WithoutUsage


class Payer:
    """Says for each call of a function who pays, and what is told of the run.

    Raises: TypeError where nobody can be found: at the decoration, not at the first call.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        account: str | Callable[..., str] | None,
        given: MeteredMembers,
    ) -> None:
        self._signature = inspect.signature(function)
        self._account = account
        self._given = given
        if account is None and "account" not in self._signature.parameters:
            raise TypeError(
                f"who pays for {function.__qualname__}? Give it a parameter `account`, or the "
                "decorator account=lambda ...: with the function's own parameters"
            )

    def account(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
        """The account that pays for this call. Raises: TypeError where it is no text."""
        if callable(self._account):
            account: object = self._account(*args, **kwargs)
        elif self._account is not None:
            account = self._account
        else:
            bound = self._signature.bind(*args, **kwargs)
            bound.apply_defaults()
            account = bound.arguments["account"]
        if not isinstance(account, str):
            raise TypeError(f"the account is a {type(account).__name__}, not a text")
        return account

    def members(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> MeterMembers:
        """What is told of this call's run."""
        chosen = {
            name: each(*args, **kwargs) if callable(each) else each
            for name, each in self._given.items()
        }
        return cast("MeterMembers", chosen)
