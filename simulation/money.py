"""What a run must cost, worked out from the catalog's text and from nothing of Tollkeeper's."""

from __future__ import annotations

import tomllib
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

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
    """The price of the run at that version. Units: micro-credits, rounded up once."""
    operation = _texts()[version]["operations"][body["operation"]]
    match operation["rule"]:
        case "flat":
            exact = Fraction(str(operation["credits"])) * Fraction(str(body.get("quantity", 1)))
        case "per_unit":
            exact = Fraction(str(operation["credits"])) * Fraction(str(body["quantity"]))
        case "per_1k_tokens":
            tokens = body["usage"]["input"] + body["usage"]["output"]
            exact = Fraction(str(operation["models"][0]["credits"])) * tokens / 1000
        case _:
            exact = Fraction(0)
    micro = exact * MICRO
    return -(-micro.numerator // micro.denominator)


class KindestLimits:
    """What a plan allows in whichever version allows most."""

    def overdraft_of(self, plan: str) -> int:
        """How far below nothing an account on the plan may go. Units: micro-credits."""
        return max(each.plan(plan).overdraft_microcredits for each in catalogs())

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
