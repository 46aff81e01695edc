"""What runs cost, worked out from the catalog's text: no price is taken from Tollkeeper."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from tests.property.model import Plan
from tests.property.model_book import Metered
from tests.property.model_prices import (
    Consumed,
    Prices,
    Standing,
    UnpricedError,
    UnsizedError,
)

from .amounts import MICRO, PICO, credits, micro, plain, up
from .versions import book_of

POOLS = (
    "input",
    "cached_input",
    "cache_write_5m",
    "cache_write_1h",
    "output",
    "reasoning",
    "audio_input",
    "audio_output",
)
SPOKEN = ("output", "reasoning", "audio_output")
# Bills know no line for these where nothing is stated: thinking is output, a cached read a read.
BILLED_AS = {"reasoning": "output", "cached_input": "input"}


# A budget is on its parent's plan: its rules, with nothing but what was lent.
BUDGET = "budget:"
# What makes a price depend on more than the run, and rules that the older ones know nothing of.
TERMS = {"minimum", "free_allowance", "tiers"}
BOOKED = ("tokens", "resource")
# A plan's own limits, and how an account's are called.
CAPS = {"daily_limit": "daily", "monthly_limit": "monthly", "per_run_max": "per_run_max"}


@dataclass(frozen=True)
class RefusedError(Exception):
    """The request is answered with one of these codes, or one of the others; nothing changes."""

    status: int
    codes: tuple[str, ...]
    members: dict[str, Any] = field(default_factory=dict[str, Any])
    others: tuple[RefusedError, ...] = ()


@dataclass(frozen=True)
class Used:
    """What a usage report means. Units: tokens by pool; dollars in 10^-12."""

    pools: dict[str, int]
    model: str | None = None
    reported_pico: int | None = None
    warnings: tuple[str, ...] = ()
    tier: str = ""
    hint: str = ""

    def total(self) -> int:
        """Each token once."""
        return sum(self.pools.values())


NOBODY = Standing()


@dataclass(frozen=True)
class Price:
    """A run with all that its row and its stats say. `line` is what is known of its breakdown.

    `volume` is what it counts in its period, and `is_booked` says that the book's model priced it.
    """

    operation: str
    model: str | None
    label: str | None
    cost: int
    feature: str
    count: int
    pools: dict[str, int]
    pico: int | None = None
    line: dict[str, Any] = field(default_factory=dict[str, Any])
    warnings: tuple[str, ...] = ()
    volume: Fraction = Fraction(0)
    is_booked: bool = False
    is_pending: bool = False
    stands_for: str = ""
    asked: Consumed | None = None
    standing: Standing = NOBODY


class PriceList:
    """One catalog file, read by somebody who only knows its documentation."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.file = tomllib.loads(text)
        self.model = Prices(self.file, json.loads(book_of(text)))
        self.operations: dict[str, dict[str, Any]] = self.file["operations"]
        self.packs: dict[str, dict[str, Any]] = self.file["packs"]
        self.low_balance = micro(self.file["account"]["low_balance"])
        self.default_plan: str = self.file["account"]["default_plan"]
        self.zone: str = self.file["account"]["zone"]

    def plans(self) -> dict[str, Plan]:
        """The plans as the account's model knows them."""
        plans = {name: _read_plan(each) for name, each in self.file["plans"].items()}
        lent = {
            BUDGET + name: replace(
                plan,
                allocation=0,
                overdraft=0,
                above="charge_available" if plan.above == "debt" else plan.above,
            )
            for name, plan in plans.items()
        }
        return plans | lent

    def plan_of(self, body: dict[str, Any]) -> str | None:
        """The plan that the request names, itself or by a role."""
        roles: dict[str, str] = self.file["roles"]
        if "role" in body:
            return roles.get(body["role"], roles["*"])
        return body.get("plan")

    def describe(self, body: dict[str, Any], used: Used | None) -> Price:
        """The run with no price: what is known of one that failed."""
        name: str = body["operation"]
        if name not in self.operations:
            raise RefusedError(422, ("unknown_operation",))
        quantity = micro(body.get("quantity", 1))
        label = "/".join(body[each] for each in ("feature", "subtype") if each in body)
        return Price(
            operation=name,
            model=body.get("model") or (used.model if used else None),
            label=label or None,
            cost=0,
            feature=self.operations[name].get("feature", name),
            count=up(Fraction(quantity, MICRO)),
            pools={} if used is None else {k: v for k, v in used.pools.items() if v},
            warnings=used.warnings if used else (),
        )

    def is_booked(self, operation: str) -> bool:
        """Its price is what the second reading of the catalog's page says."""
        table = self.operations.get(operation, {})
        return table.get("rule") in BOOKED or bool(TERMS & table.keys())

    def price(
        self, body: dict[str, Any], used: Used | None, standing: Standing = NOBODY, at: int = 0
    ) -> Price:
        """The run with what it costs an account of that standing."""
        run = self.describe(body, used)
        if "resource" in body and self.operations[run.operation]["rule"] != "resource":
            raise RefusedError(422, ("invalid",))
        if self.is_booked(run.operation):
            return self._booked(run, consumed(body, used, at), standing)
        rule = self.operations[run.operation]["rule"]
        quantity = micro(body.get("quantity", 1))
        if rule == "flat":
            cost, pico, line = self._flat(run, quantity, used)
        elif rule == "per_unit":
            cost, pico, line = self._per_unit(run, quantity)
        elif rule == "per_1k_tokens":
            cost, pico, line = self._tokens(run, body, used)
        else:
            cost, pico, line = 0, None, {"quantity": 1, "rate": "0"}
        if used is not None:
            # What the provider reports, or the book says, is known better than by the operation.
            operation = self.operations[run.operation]
            usd = self.model.base(consumed(body, used, at), operation).usd
            pico = None if usd is None else up(usd * PICO)
        return _priced(run, cost, pico, line | {"credits": credits(cost)})

    def _booked(self, run: Price, asked: Consumed, standing: Standing) -> Price:
        try:
            found = self.model.price(asked, standing)
        except UnpricedError:
            raise RefusedError(422, ("unknown_model",), {"model": run.model}) from None
        except UnsizedError:
            raise RefusedError(422, ("invalid",)) from None
        return replace(
            run,
            cost=found.micro,
            pico=None if found.usd is None else up(found.usd * PICO),
            warnings=(*run.warnings, *sorted(found.warnings)),
            volume=found.volume,
            is_booked=True,
            is_pending=found.is_pending,
            stands_for=found.stands_for,
            asked=asked,
            standing=standing,
        )

    def price_anew(self, run: Price) -> Price | None:
        """The run at these prices, in the standing that it was priced in; None if still unknown."""
        assert run.asked is not None
        try:
            found = self._booked(run, run.asked, run.standing)
        except RefusedError:
            return None
        return None if found.is_pending or found.stands_for else found

    def guess(
        self, body: dict[str, Any], used: Used | None, standing: Standing = NOBODY, at: int = 0
    ) -> list[Price]:
        """The smallest, typical and largest price of a run of which this much is known."""
        run = self.describe(body, used)
        operation = self.operations[run.operation]
        sizes = operation.get("estimate")
        if sizes is None or used is not None or "quantity" in body:
            return [self.price(body, used, standing, at)] * 3
        return [self._sized(body, sizes[each]) for each in ("smallest", "typical", "largest")]

    def _sized(self, body: dict[str, Any], size: int) -> Price:
        if self.operations[body["operation"]]["rule"] == "per_1k_tokens":
            return self.price(body, Used({"input": size}))
        return self.price(body | {"quantity": size}, None)

    def _flat(
        self, run: Price, quantity: int, used: Used | None
    ) -> tuple[int, int | None, dict[str, Any]]:
        operation = self.operations[run.operation]
        calls = _whole(quantity)
        each, pico = operation.get("credits", 0), _pico(operation.get("usd_per_call"))
        billed = None
        if "models" in operation:
            family = self.find_model(run)
            each, billed = family["credits"], _bill(family, used)
        per_call = None if pico is None else pico * calls
        line = {"quantity": calls, "rate": plain(micro(each))}
        return calls * micro(each), billed if billed is not None else per_call, line

    def _per_unit(self, run: Price, quantity: int) -> tuple[int, int | None, dict[str, Any]]:
        operation = self.operations[run.operation]
        if not operation.get("fractional"):
            _whole(quantity)
        each, pico = micro(operation["credits"]), _pico(operation.get("usd_per_unit"))
        units = Fraction(quantity, MICRO)
        line = {
            "item": run.operation,
            "quantity": credits(quantity),
            "rate": f"{plain(each)}/{operation['unit']}",
        }
        return up(units * each), None if pico is None else up(units * pico), line

    def _tokens(
        self, run: Price, body: dict[str, Any], used: Used | None
    ) -> tuple[int, int | None, dict[str, Any]]:
        family = self.find_model(run)
        if used is None or "quantity" in body:
            raise RefusedError(422, ("invalid",))
        each = micro(family["credits"])
        line = {
            "item": f"{run.model} tokens",
            "quantity": used.total(),
            "rate": f"{plain(each)}/1000",
        }
        return up(Fraction(used.total() * each, 1000)), _bill(family, used), line

    def find_model(self, run: Price) -> dict[str, Any]:
        """The family that prices the run's model; there is none for a model nobody knows."""
        families = self.operations[run.operation]["models"]
        name = (run.model or "").lower()
        fitting = [
            (pattern == name, len(pattern), number)
            for number, family in enumerate(families)
            for pattern in family["patterns"]
            if name and _fits(pattern, name)
        ]
        if not fitting:
            raise RefusedError(422, ("unknown_model",), {"model": run.model})
        return families[max(fitting)[2]]

    def offer(self, shortfall: int) -> str:
        """The pack that a refusal offers: the cheapest that is enough, else the largest."""
        enough = [p for p in self.packs if micro(self.packs[p]["credits"]) >= shortfall]
        if enough:
            return min(enough, key=lambda p: Fraction(self.packs[p]["price"]))
        return max(self.packs, key=lambda p: micro(self.packs[p]["credits"]))

    def affordable(self, run: Price, spendable: int, *, is_priced: bool) -> dict[str, Any]:
        """What could be paid: tokens of the model, tokens of its answer, and other models."""
        operation = self.operations[run.operation]
        if "models" not in operation or not is_priced or run.is_booked:
            return {}
        tokens = sum(run.pools.values())
        is_flat = operation["rule"] == "flat"
        size = Fraction(run.count if is_flat else tokens, 1 if is_flat else 1000)
        fits = [
            family["name"]
            for family in operation["models"]
            if up(size * micro(family["credits"])) <= spendable
        ]
        if is_flat:
            return {"models": fits}
        most = spendable * 1000 // micro(self.find_model(run)["credits"])
        said = sum(run.pools.get(pool, 0) for pool in SPOKEN)
        output = {"tokens_output": max(0, most - tokens + said)} if said else {}
        return {"tokens_total": most, "models": fits} | output


def consumed(body: dict[str, Any], used: Used | None, at: int) -> Consumed:
    """The run as the second reading knows it. The request's own members win over its usage."""
    said = body.get("service_tier", used.tier if used else "")
    reported = None if used is None else used.reported_pico
    return Consumed(
        operation=body["operation"],
        model=body.get("model") or (used.model if used else None),
        provider=body.get("provider", ""),
        tier="" if said in ("standard", "default", "auto") else said,
        used=None if used is None else Metered(used.pools),
        reported=None if reported is None else Fraction(reported, PICO),
        quantity=Fraction(str(body["quantity"])) if "quantity" in body else None,
        resource=body.get("resource", {}),
        at=at,
        hint=used.hint if used else "",
    )


def _read_plan(file: dict[str, Any]) -> Plan:
    return Plan(
        allocation=micro(file["allocation"]),
        from_opening=file.get("anchor") == "opening",
        rollover=file.get("rollover", "none"),
        cap=micro(file.get("rollover_cap", 0)),
        overdraft=micro(file.get("overdraft", 0)),
        limits=file.get("features", {}),
        above=file.get("settle_above_hold", "charge_available"),
        caps={name: micro(file[key]) for key, name in CAPS.items() if key in file},
        open_holds=file.get("open_holds", 20),
    )


def _priced(run: Price, cost: int, pico: int | None, line: dict[str, Any]) -> Price:
    return Price(
        operation=run.operation,
        model=run.model,
        label=run.label,
        cost=cost,
        feature=run.feature,
        count=run.count,
        pools=run.pools,
        pico=pico,
        line=line,
        warnings=run.warnings,
    )


def _whole(quantity: int) -> int:
    if quantity % MICRO:
        raise RefusedError(422, ("invalid",))
    return quantity // MICRO


def _pico(usd: object) -> int | None:
    return None if usd is None else int(Fraction(str(usd)) * PICO)


def _bill(family: dict[str, Any], used: Used | None) -> int | None:
    """What the provider bills; nothing is known where a pool has no rate."""
    rates: dict[str, Any] | None = family.get("usd_per_million")
    if used is None or rates is None:
        return None
    total = Fraction(0)
    for pool, tokens in used.pools.items():
        rate = rates.get(pool, rates.get(BILLED_AS.get(pool, pool)))
        if tokens and rate is None:
            return None
        total += Fraction(str(rate or 0)) * tokens * PICO / 1_000_000
    return int(total)


def _fits(pattern: str, name: str) -> bool:
    text = re.escape(pattern.lower()).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(text.replace(r"\[0\-9\]", "[0-9]"), name) is not None
