"""What a run must cost, worked out from the catalog's text and from nothing of Tollkeeper's."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from tollkeeper.domain.account import Account
from tollkeeper.domain.catalog import Catalog
from tollkeeper.edge.catalog_file import read_catalog

CATALOGS = tuple(
    Path(__file__).parent / "catalogs" / name for name in ("before.toml", "after.toml")
)
MICRO = 1_000_000


@lru_cache(maxsize=1)
def catalogs() -> tuple[Catalog, ...]:
    """The versions that a storm deploys, the first one first."""
    return tuple(read_catalog(path) for path in CATALOGS)


@lru_cache(maxsize=1)
def _texts() -> dict[str, dict[str, Any]]:
    """Each version's file as it stands, by its digest."""
    pairs = zip(catalogs(), CATALOGS, strict=True)
    return {each.version: tomllib.loads(path.read_text("utf-8")) for each, path in pairs}


def price_of(body: dict[str, Any], version: str) -> int:
    """The price of the run at that version. Units: micro-credits, rounded up once.

    Shape: `estimate` or `amount` in the body is a price that the caller named; what runs on
    its own machine has none.
    """
    operation = _texts()[version]["operations"][body["operation"]]
    named = body.get("estimate", body.get("amount"))
    if named is not None and operation["rule"] != "local":
        return micro_of(named)
    match operation["rule"]:
        case "flat":
            exact = Fraction(str(operation["credits"])) * Fraction(str(body.get("quantity", 1)))
        case "per_unit":
            exact = Fraction(str(operation["credits"])) * Fraction(str(body.get("quantity", 1)))
        case "per_1k_tokens":
            tokens = sum(body.get("usage", {"typical": operation["estimate"]["typical"]}).values())
            exact = Fraction(str(operation["models"][0]["credits"])) * tokens / 1000
        case _:
            exact = Fraction(0)
    micro = exact * MICRO
    return -(-micro.numerator // micro.denominator)


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
    text = _texts()[version]
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
