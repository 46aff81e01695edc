"""The catalog file: read, checked and turned into the domain's values."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from tollkeeper.domain.catalog import (
    Catalog,
    Flat,
    Limits,
    Local,
    ModelPrice,
    Operation,
    Pack,
    Per1kTokens,
    PerUnit,
    PlanTerms,
    Rollover,
    Rule,
    SettlePolicy,
    Sizes,
)
from tollkeeper.domain.errors import CatalogError
from tollkeeper.domain.money import MICRO, PICO_PER_USD
from tollkeeper.edge.catalog_checks import find_problems, price_minor
from tollkeeper.edge.catalog_models import (
    AnyOperation,
    CatalogTables,
    FlatTable,
    LocalTable,
    ModelTable,
    PackTable,
    Per1kTokensTable,
    PerUnitTable,
    PlanTable,
)
from tollkeeper.edge.catalog_reasons import Problem, explain, show_key

LARGEST_FILE_BYTES = 1_000_000
VERSION_DIGITS = 16

_AT_LINE = re.compile(r"^(.*) \(at (line \d+), column \d+\)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class WrittenFloat:
    """A number with a point as it stands in the file: kept as text, so that nothing is rounded."""

    text: str


def read_catalog(path: Path) -> Catalog:
    """The catalog of that file, complete and free of contradictions.

    Raises: CatalogError with the file, the key and the reason of the first problem.
    """
    read = _read(path)
    if isinstance(read, list):
        raise CatalogError(str(path), *read[0])
    return read


def parse_source(source: str) -> Catalog:
    """The catalog that another version of the file was, from what the table keeps of it."""
    return _to_catalog(CatalogTables.model_validate(json.loads(source)), source)


def read_problems(path: Path) -> tuple[CatalogError, ...]:
    """Everything that is wrong with the file and can be told at once; empty where it is right."""
    read = _read(path)
    if isinstance(read, list):
        return tuple(CatalogError(str(path), *problem) for problem in read)
    return ()


def _read(path: Path) -> Catalog | list[Problem]:
    document = _parse(path)
    if isinstance(document, Problem):
        return [document]
    floats = list(_find_floats(document))
    if floats:
        return floats
    try:
        tables = CatalogTables.model_validate(document)
    except ValidationError as error:
        return explain(error, document)
    problems = [Problem(show_key(at, document), why) for at, why in find_problems(tables)]
    return problems or _to_catalog(tables, _canonical(document))


def _parse(path: Path) -> dict[str, Any] | Problem:
    """The file as TOML. Why: a byte order mark, as some editors write it, does no harm."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        return Problem("file", f"cannot be read: {error.strerror}")
    if len(raw) > LARGEST_FILE_BYTES:
        return Problem("file", f"is larger than {LARGEST_FILE_BYTES} bytes")
    try:
        return tomllib.loads(raw.decode("utf-8-sig"), parse_float=WrittenFloat)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return Problem(f"line {line}", "is not UTF-8 text")
    except RecursionError:
        return Problem("file", "is nested too deeply")
    except tomllib.TOMLDecodeError as error:
        at_line = _AT_LINE.match(str(error))
        place, said = (at_line[2], at_line[1]) if at_line else ("file", str(error))
        return Problem(place, f"is not TOML: {said}")
    except ValueError:
        return Problem("file", "holds a number of thousands of digits")


def _find_floats(document: dict[str, Any]) -> Iterator[Problem]:
    """Every number with a point. Why: with a list of its own, since keys can nest very deeply."""
    waiting: list[tuple[tuple[str | int, ...], object]] = [((), document)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, WrittenFloat):
            text = value.text
            reason = f'is a float, which is not exact; write {text} as "{text}"'
            yield Problem(show_key(place, document), reason)
        elif isinstance(value, dict):
            items = cast("dict[str, object]", value).items()
            waiting += reversed([((*place, key), held) for key, held in items])
        elif isinstance(value, list):
            entries = cast("list[object]", value)
            waiting += reversed([((*place, at), held) for at, held in enumerate(entries)])


def _canonical(document: dict[str, Any]) -> str:
    """What the file says as one text, whatever its comments, spaces and order of keys."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _to_catalog(tables: CatalogTables, source: str) -> Catalog:
    account = tables.account
    return Catalog(
        version=hashlib.sha256(source.encode()).hexdigest()[:VERSION_DIGITS],
        source=source,
        plans={name: _to_plan(name, plan) for name, plan in tables.plans.items()},
        default_plan=account.default_plan,
        operations={name: _to_operation(name, each) for name, each in tables.operations.items()},
        packs={name: _to_pack(name, pack) for name, pack in tables.packs.items()},
        roles=tables.roles,
        zone=account.zone,
        auto_open=account.auto_open,
        public=account.public,
        low_balance_microcredits=account.low_balance,
        alert_thresholds=tuple(account.alert_thresholds),
    )


def _to_plan(name: str, plan: PlanTable) -> PlanTerms:
    return PlanTerms(
        id=name,
        name=plan.name or _readable(name),
        allocation_microcredits=plan.allocation,
        anchor=plan.anchor,
        rollover=Rollover(plan.rollover),
        rollover_cap_microcredits=plan.rollover_cap or 0,
        overdraft_microcredits=plan.overdraft,
        limits=Limits(plan.daily_limit, plan.monthly_limit, plan.per_run_max),
        settle_above_hold=SettlePolicy(plan.settle_above_hold),
        open_holds=plan.open_holds,
        features=plan.features,
    )


def _to_pack(name: str, pack: PackTable) -> Pack:
    return Pack(
        id=name,
        name=pack.name,
        credits_microcredits=pack.credits,
        price_minor=price_minor(pack),
        currency=pack.currency,
        features=tuple(pack.features),
        stripe_price=pack.stripe_price,
        expires_after_days=pack.expires_after_days,
    )


def _to_operation(name: str, operation: AnyOperation) -> Operation:
    return Operation(
        id=name,
        name=operation.name or _readable(name),
        rule=_to_rule(operation),
        feature=operation.feature or name,
        sizes=_to_sizes(operation),
        usd_pico_per_call=_usd_per_call(operation),
    )


def _to_rule(operation: AnyOperation) -> Rule:
    match operation:
        case FlatTable():
            credits = None if operation.models else operation.credits or 0
            return Flat(credits, _to_models(operation.models))
        case PerUnitTable():
            return PerUnit(operation.credits, operation.unit, operation.fractional)
        case Per1kTokensTable():
            return Per1kTokens(_to_models(operation.models))
        case LocalTable():
            return Local()


def _to_models(models: list[ModelTable]) -> tuple[ModelPrice, ...]:
    """Units: millionths of a USD per million tokens are pico-USD per token, so rates stay."""
    return tuple(
        ModelPrice(family.name, tuple(family.patterns), family.credits, family.usd_per_million)
        for family in models
    )


def _to_sizes(operation: AnyOperation) -> Sizes | None:
    if isinstance(operation, LocalTable) or operation.estimate is None:
        return None
    sizes = operation.estimate
    scale = MICRO if isinstance(operation, Per1kTokensTable) else 1
    return Sizes(sizes.smallest // scale, sizes.typical // scale, sizes.largest // scale)


def _usd_per_call(operation: AnyOperation) -> int | None:
    match operation:
        case FlatTable(usd_per_call=usd) | PerUnitTable(usd_per_unit=usd) if usd is not None:
            return usd * (PICO_PER_USD // MICRO)
        case _:
            return None


def _readable(name: str) -> str:
    """A name to show, made of an id: `voice_call` is shown as Voice call."""
    words = re.sub(r"[_.-]+", " ", name).strip()
    return words[:1].upper() + words[1:]
