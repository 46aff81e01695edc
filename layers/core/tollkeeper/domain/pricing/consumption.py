"""What a price is made of: what was used, and what of the account goes into its price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tollkeeper.domain.account import Account
from tollkeeper.domain.entries import Resource, Run
from tollkeeper.domain.usage import Usage


@dataclass(frozen=True, slots=True)
class Consumption:
    """What a request says was used. Units: `quantity_micro` in millionths of a unit.

    `amount_microcredits` is a price that the caller names itself: to hold, or to settle.
    `provider` and `service_tier` win over what the usage says of itself; a tier of "" is the
    standard one and None is not said. `priced_at` is the moment whose dated rates apply.
    """

    operation: str
    model: str | None = None
    quantity_micro: int | None = None
    usage: Usage | None = None
    label: str = ""
    subtype: str = ""
    service: str = ""
    response_time_ms: int | None = None
    occurred_at: datetime | None = None
    amount_microcredits: int | None = None
    most_microcredits: int | None = None
    provider: str = ""
    service_tier: str | None = None
    resource: Resource | None = None
    priced_at: datetime | None = None

    @property
    def is_sized(self) -> bool:
        """It says how much is, or will be, used."""
        sizes = (self.usage, self.quantity_micro, self.amount_microcredits, self.resource)
        return any(size is not None for size in sizes)

    @property
    def moment(self) -> datetime | None:
        """The moment whose dated rates apply."""
        return self.priced_at or self.occurred_at

    @property
    def model_name(self) -> str:
        """The model that the request names, else the one that the usage does."""
        return self.model or (self.usage.model if self.usage is not None else None) or ""

    @property
    def known_provider(self) -> str:
        """The provider that the request names, else the one that the usage hints at."""
        return self.provider or (self.usage.provider if self.usage is not None else "")

    @property
    def tier(self) -> str:
        """The service tier whose rates apply; "" for the standard one."""
        if self.service_tier is not None:
            return self.service_tier
        return self.usage.service_tier if self.usage is not None else ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What of an account goes into a price: its plan, and what its period used by feature.

    `is_first` is False for a later part of a run whose first part was charged before.
    Units: `volumes` in millionths of a call, a unit or a token.
    """

    plan: str = ""
    volumes: Mapping[str, int] = field(default_factory=dict[str, int])
    is_first: bool = True


NOBODY = Standing()
"""No account: every operation at its own price, nothing used before."""


def standing_now(account: Account) -> Standing:
    """The standing in which the account would be charged now."""
    return Standing(account.plan.id, account.volumes)


def consumption_of(run: Run, at: datetime) -> Consumption:
    """What was used, as the run's row recorded it: priced again it comes to the same.

    `at` stands in for the moment of rates that have no date: the row says none, and any will do.
    """
    usage: Usage | None = None
    if run.pools is not None:
        usage = Usage(
            pools=run.pools,
            model=None,
            cost_picousd=run.reported_picousd,
            warnings=(),
            seconds_micro=run.seconds_micro,
            web_searches=run.web_searches,
            requests=run.requests,
            parts=run.parts,
            provider="" if run.provider_said else run.provider,
        )
    return Consumption(
        operation=run.operation,
        model=run.model or None,
        quantity_micro=run.quantity_micro,
        usage=usage,
        label=run.label,
        service=run.service,
        response_time_ms=run.response_time_ms,
        occurred_at=run.occurred_at,
        amount_microcredits=run.named_microcredits,
        provider=run.provider if run.provider_said else "",
        service_tier=run.service_tier,
        resource=run.resource,
        priced_at=run.priced_at or at,
    )


def standing_of(run: Run) -> Standing:
    """The standing in which the run was priced, as its row recorded it."""
    volumes = {run.feature: run.volume_before_micro} if run.volume_before_micro else {}
    return Standing(run.plan, volumes, is_first=run.feature_count > 0)
