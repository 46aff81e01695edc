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

from tollkeeper.domain.book import PriceBook
from tollkeeper.domain.catalog import (
    Catalog,
    ClawbackPolicy,
    Limits,
    Operation,
    Pack,
    PlanSale,
    PlanTerms,
    Rollover,
    SettlePolicy,
)
from tollkeeper.domain.errors import CatalogError
from tollkeeper.edge.book_file import BOOK_FILE, LARGEST_BOOK_BYTES, parse_book
from tollkeeper.edge.catalog_checks import find_problems, price_minor
from tollkeeper.edge.catalog_lines import find_line
from tollkeeper.edge.catalog_models import CatalogTables, PackTable, PlanTable
from tollkeeper.edge.catalog_operations import readable, to_operations, to_prices
from tollkeeper.edge.catalog_plans import OnPlans, read_plan_prices
from tollkeeper.edge.catalog_reasons import Problem, explain, problem_at
from tollkeeper.store.versions import pack_catalog

LARGEST_FILE_BYTES = 1_000_000
VERSION_DIGITS = 16
LARGEST_PLAIN_SOURCE = 1_000_000
"""Above this, a version is packed to see whether it fits; below, it fits however it packs."""
FILE, BOOK = "file", "book"
"""The two members of a version's source that has a price book."""

_LINE = re.compile(r"line (\d+)")
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
        raise CatalogError(str(path), read[0].key, read[0].reason)
    return read


def parse_source(source: str) -> Catalog:
    """The catalog that another version of the file was, from what the table keeps of it.

    Shape: the file as canonical JSON, alone or with the text of its price book.
    """
    kept = json.loads(source)
    document, book = (kept[FILE], kept[BOOK]) if BOOK in kept else (kept, None)
    tables = CatalogTables.model_validate(document)
    on_plans, _ = read_plan_prices(tables, document)
    return _to_catalog(tables, on_plans, source, None if book is None else parse_book(book))


def read_problems(path: Path) -> tuple[CatalogError, ...]:
    """Everything that is wrong with the file and can be told at once; empty where it is right.

    Each says its line. Why: only where people read it, since finding lines reads the file again.
    """
    read = _read(path)
    if not isinstance(read, list):
        return ()
    text = path.read_bytes().decode("utf-8-sig", "replace") if path.is_file() else ""
    return tuple(_locate(str(path), text, problem) for problem in read)


def _locate(file: str, text: str, problem: Problem) -> CatalogError:
    said = _LINE.fullmatch(problem.key)
    line = int(said[1]) if said else find_line(text, problem.place) if problem.place else 0
    return CatalogError(f"{file}:{line}" if line else file, problem.key, problem.reason)


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
    problems = [problem_at(at, why, document) for at, why in find_problems(tables)]
    on_plans, wrong = read_plan_prices(tables, document)
    text = _canonical(document)
    if problems or wrong:
        return problems + wrong
    if tables.prices is None:
        return _to_catalog(tables, on_plans, text, None)
    return _with_book(tables, on_plans, text, path.with_name(BOOK_FILE))


def _with_book(
    tables: CatalogTables, on_plans: OnPlans, text: str, path: Path
) -> Catalog | list[Problem]:
    """The catalog with the price book beside it, both in its version and in its source."""
    place = ("prices",)
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_BOOK_BYTES + 1)
        if len(raw) > LARGEST_BOOK_BYTES:
            return [Problem("prices", f"needs a smaller {BOOK_FILE} beside this file", place)]
        kept = raw.decode()
        book = parse_book(kept, str(path))
    except OSError as error:
        reason = f"needs {BOOK_FILE} beside this file, which cannot be read: {error.strerror}"
        return [Problem("prices", reason, place)]
    except UnicodeDecodeError:
        return [Problem("prices", f"needs {BOOK_FILE} beside this file, as UTF-8 text", place)]
    except CatalogError as error:
        return [Problem("prices", f"cannot use its price book: {error.detail}", place)]
    source = f'{{"{BOOK}":{json.dumps(kept, ensure_ascii=False)},"{FILE}":{text}}}'
    if len(source) > LARGEST_PLAIN_SOURCE and pack_catalog(source) is None:
        return [Problem("prices", f"is with {BOOK_FILE} too large to be kept with charges", place)]
    return _to_catalog(tables, on_plans, source, book)


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
            yield problem_at(place, reason, document)
        elif isinstance(value, dict):
            items = cast("dict[str, object]", value).items()
            waiting += reversed([((*place, key), held) for key, held in items])
        elif isinstance(value, list):
            entries = cast("list[object]", value)
            waiting += reversed([((*place, at), held) for at, held in enumerate(entries)])


def _canonical(document: dict[str, Any]) -> str:
    """What the file says as one text, whatever its comments, spaces and order of keys."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _to_catalog(
    tables: CatalogTables, on_plans: OnPlans, source: str, book: PriceBook | None
) -> Catalog:
    account = tables.account
    operations: dict[str, Operation] = {}
    changed: dict[str, dict[str, Operation]] = {}
    for name, operation in tables.operations.items():
        plans = [plan for plan, own in on_plans.items() if name in own]
        tables_of = [operation, *(on_plans[plan][name] for plan in plans)]
        operations[name], *others = to_operations(name, tables_of)
        for plan, other in zip(plans, others, strict=True):
            changed.setdefault(plan, {})[name] = other
    prices = None if tables.prices is None or book is None else to_prices(tables.prices, book)
    return Catalog(
        version=hashlib.sha256(source.encode()).hexdigest()[:VERSION_DIGITS],
        source=source,
        plans={
            name: _to_plan(name, plan, changed.get(name, {})) for name, plan in tables.plans.items()
        },
        default_plan=account.default_plan,
        operations=operations,
        prices=prices,
        packs={name: _to_pack(name, pack) for name, pack in tables.packs.items()},
        roles=tables.roles,
        entitlements=tables.entitlements,
        zone=account.zone,
        auto_open=account.auto_open,
        public=account.public,
        low_balance_microcredits=account.low_balance,
        alert_thresholds=tuple(account.alert_thresholds),
    )


def _to_plan(name: str, plan: PlanTable, prices: dict[str, Operation]) -> PlanTerms:
    return PlanTerms(
        id=name,
        name=plan.name or readable(name),
        allocation_microcredits=plan.allocation,
        anchor=plan.anchor,
        rollover=Rollover(plan.rollover),
        rollover_cap_microcredits=plan.rollover_cap or 0,
        overdraft_microcredits=plan.overdraft,
        limits=Limits(plan.daily_limit, plan.monthly_limit, plan.per_run_max),
        settle_above_hold=SettlePolicy(plan.settle_above_hold),
        clawback=ClawbackPolicy(plan.clawback),
        open_holds=plan.open_holds,
        features=plan.features,
        prices=prices,
        sale=_to_sale(plan),
    )


def _to_sale(plan: PlanTable) -> PlanSale | None:
    if plan.price is None or plan.currency is None or plan.interval is None:
        return None
    minor = price_minor(plan.price, plan.currency)
    return PlanSale(
        minor, plan.currency, plan.interval, plan.stripe_price or "", tuple(plan.former_prices)
    )


def _to_pack(name: str, pack: PackTable) -> Pack:
    return Pack(
        id=name,
        name=pack.name,
        credits_microcredits=pack.credits,
        price_minor=price_minor(pack.price, pack.currency),
        currency=pack.currency,
        features=tuple(pack.features),
        stripe_price=pack.stripe_price,
        expires_after_days=pack.expires_after_days,
    )
