"""One helper per service: an operation with what its runs always say about themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar, Unpack

from tollkeeper_client.answers import Charge, Check, Estimate
from tollkeeper_client.async_client import AsyncMeteredRun, AsyncTollkeeper
from tollkeeper_client.calls import CheckMembers, DeductMembers, RunMembers
from tollkeeper_client.client import MeteredRun, Tollkeeper
from tollkeeper_client.metering import MeteredMembers, identity
from tollkeeper_client.runs import Look, MeterMembers

P = ParamSpec("P")
R = TypeVar("R")


def metered(
    operation: str,
    *,
    client: Tollkeeper | AsyncTollkeeper,
    account: str | Callable[..., str] | None = None,
    usage_of: Look | None = identity,
    **given: Unpack[MeteredMembers],
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Every call of the decorated function is metered, as `client.metered` does it."""
    return client.metered(operation, account=account, usage_of=usage_of, **given)


class _Defaults:
    """What every run of a tool says, unless the call says otherwise."""

    def __init__(self, operation: str, always: RunMembers) -> None:
        self.operation = operation
        self._always = always

    def _with(self, given: Mapping[str, object]) -> dict[str, Any]:
        return {**self._always, **given}


class Tool(_Defaults):
    """A helper for one service: `Tool(client, "document_upload", subtype="pdf")`."""

    def __init__(self, client: Tollkeeper, operation: str, **always: Unpack[RunMembers]) -> None:
        super().__init__(operation, always)
        self._client = client

    def check(self, account: str, **given: Unpack[CheckMembers]) -> Check:
        """The account can pay for it now. Raises: InsufficientCreditsError."""
        return self._client.check(account, self.operation, **self._with(given))

    def estimate(self, account: str, **given: Unpack[RunMembers]) -> Estimate:
        """What it may cost."""
        return self._client.estimate(account, self.operation, **self._with(given))

    def deduct(
        self, account: str, *, key: str | None = None, **given: Unpack[DeductMembers]
    ) -> Charge:
        """It is charged, once for its key."""
        return self._client.deduct(account, self.operation, key=key, **self._with(given))

    def meter(self, account: str, **given: Unpack[MeterMembers]) -> MeteredRun:
        """A run of it, to be used with `with`."""
        return self._client.meter(account, self.operation, **self._with(given))

    def metered(
        self, *, account: str | Callable[..., str] | None = None, usage_of: Look | None = identity
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Every call of the decorated function is a run of it."""
        return self._client.metered(
            self.operation, account=account, usage_of=usage_of, **self._with({})
        )


class AsyncTool(_Defaults):
    """A helper for one service, for asyncio."""

    def __init__(
        self, client: AsyncTollkeeper, operation: str, **always: Unpack[RunMembers]
    ) -> None:
        super().__init__(operation, always)
        self._client = client

    async def check(self, account: str, **given: Unpack[CheckMembers]) -> Check:
        """The account can pay for it now. Raises: InsufficientCreditsError."""
        return await self._client.check(account, self.operation, **self._with(given))

    async def estimate(self, account: str, **given: Unpack[RunMembers]) -> Estimate:
        """What it may cost."""
        return await self._client.estimate(account, self.operation, **self._with(given))

    async def deduct(
        self, account: str, *, key: str | None = None, **given: Unpack[DeductMembers]
    ) -> Charge:
        """It is charged, once for its key."""
        return await self._client.deduct(account, self.operation, key=key, **self._with(given))

    def meter(self, account: str, **given: Unpack[MeterMembers]) -> AsyncMeteredRun:
        """A run of it, to be used with `async with`."""
        return self._client.meter(account, self.operation, **self._with(given))

    def metered(
        self, *, account: str | Callable[..., str] | None = None, usage_of: Look | None = identity
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Every call of the decorated function is a run of it."""
        return self._client.metered(
            self.operation, account=account, usage_of=usage_of, **self._with({})
        )
