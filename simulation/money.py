"""What a run must cost, worked out from the catalog's text and from nothing of Tollkeeper's."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from simulation.loop import EPOCH
from tests.property.model_book import Metered
from tests.property.model_prices import Charged, Consumed, Prices, Standing
from tollkeeper.domain.account import Account
from tollkeeper.domain.catalog import Catalog
from tollkeeper.edge.catalog_file import read_catalog

CATALOGS = tuple(
    Path(__file__).parent / "catalogs" / name / "catalog.toml" for name in ("before", "after")
)
NOBODY = Standing()
MICRO = 1_000_000


@lru_cache(maxsize=1)
def catalogs() -> tuple[Catalog, ...]:
    """The versions that a storm deploys, the first one first."""
    return tuple(read_catalog(path) for path in CATALOGS)


@lru_cache(maxsize=1)
def _prices() -> dict[str, Prices]:
    """Each version's files as they stand, read a second time, by the version's digest."""
    pairs = zip(catalogs(), CATALOGS, strict=True)
    return {each.version: _read(path) for each, path in pairs}


def _read(path: Path) -> Prices:
    book = json.loads(path.with_name("prices.json").read_text("utf-8"))
    return Prices(tomllib.loads(path.read_text("utf-8")), book)


def price_of(
    body: dict[str, Any], version: str, standing: Standing = NOBODY, at: datetime | None = None
) -> int:
    """The price of the run at that version. Units: micro-credits, rounded up once.

    Shape: `estimate` or `amount` in the body is a price that the caller named; what runs on
    its own machine has none. Raises: UnpricedError.
    """
    return charge_of(body, version, standing, at).micro


def charge_of(
    body: dict[str, Any], version: str, standing: Standing = NOBODY, at: datetime | None = None
) -> Charged:
    """The price with all that its row says of it: in that standing, at that moment's rates."""
    prices = _prices()[version]
    named = body.get("estimate", body.get("amount"))
    used = _used(body)
    if used is None and named is None:
        used = _typical(prices, body)
    usage = body.get("usage", {})
    return prices.price(
        Consumed(
            operation=body["operation"],
            model=body.get("model"),
            provider=body.get("provider", ""),
            tier=body.get("service_tier", ""),
            used=used,
            reported=Fraction(str(usage["cost"])) if "cost" in usage else None,
            quantity=Fraction(str(body["quantity"])) if "quantity" in body else None,
            resource=body.get("resource", {}),
            named=None if named is None else Fraction(str(named)),
            at=0 if at is None else (at - EPOCH) // timedelta(milliseconds=1),
        ),
        standing,
    )


def _used(body: dict[str, Any]) -> Metered | None:
    """What was used, by pool; as a provider says it, or plainly."""
    usage: dict[str, Any] | None = body.get("usage")
    if usage is None:
        return None
    if "prompt_tokens" in usage:
        read, said = usage["prompt_tokens"], usage["completion_tokens"]
        return Metered({"input": read, "output": said})
    return Metered(usage)


def _typical(prices: Prices, body: dict[str, Any]) -> Metered | None:
    """The size that the catalog says such runs have, where nobody said any."""
    estimate = prices.operation(body["operation"]).get("estimate")
    return None if estimate is None else Metered({"input": estimate["typical"]})


def feature_of(operation: str) -> str:
    """What plans and volumes count the operation by."""
    return _prices()[catalogs()[0].version].feature(operation)


def micro_of(amount: object) -> int:
    """The amount as it is written. Units: micro-credits."""
    return int(Decimal(str(amount)) * MICRO)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a plan gives and allows, as the file has it. Units: micro-credits; None is no limit."""

    allocation: int
    overdraft: int
    day: int | None
    month: int | None
    run: int | None
    policy: str
    open_holds: int
    features: dict[str, int]
    low_balance: int


@lru_cache(maxsize=100)
def terms_of(version: str, plan: str) -> Terms:
    """The plan's terms at that version."""
    text = _prices()[version].file
    table = text["plans"][plan]

    def limit(name: str) -> int | None:
        return micro_of(table[name]) if name in table else None

    return Terms(
        allocation=micro_of(table["allocation"]),
        overdraft=micro_of(table.get("overdraft", 0)),
        day=limit("daily_limit"),
        month=limit("monthly_limit"),
        run=limit("per_run_max"),
        policy=table.get("settle_above_hold", "charge_available"),
        open_holds=table.get("open_holds", 20),
        features=table.get("features", {}),
        low_balance=micro_of(text["account"]["low_balance"]),
    )


class KindestLimits:
    """What a plan allows in whichever version allows most."""

    def overdraft_of(self, account: Account) -> int:
        """How far below nothing the account may go. Units: micro-credits."""
        if account.parent:
            return 0
        return max(terms_of(each.version, account.plan.id).overdraft for each in catalogs())

    def limit_of(self, plan: str, feature: str) -> int | None:
        """How often the feature may be used in a period; None where that has no limit."""
        limits = [each.plan(plan).features.get(feature) for each in catalogs()]
        known = [limit for limit in limits if limit is not None]
        return max(known) if len(known) == len(limits) else None


def shown(microcredits: int) -> str:
    """The amount as the API writes it."""
    amount = (Decimal(microcredits) / MICRO).quantize(Decimal("0.000001"), ROUND_CEILING)
    text = f"{amount:f}".rstrip("0").rstrip(".")
    return text or "0"
