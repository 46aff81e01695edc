"""What must hold between the tables of a catalog, once each is right by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.money import MICRO, THREE_DECIMAL_CURRENCIES, minor_digits
from tollkeeper.domain.periods import find_zone
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
    ResourceTable,
    TokensTable,
)
from tollkeeper.edge.catalog_price_checks import Found, check_prices, check_terms

MOST_NAMES_SHOWN = 20
LARGEST_PRICE_MINOR = 99_999_999

_BY_STRIPE = "names a plan that Stripe's invoices drive; only a payment begins it"


def find_problems(tables: CatalogTables) -> Iterator[Found]:
    """Everything that does not fit together, in the order of the file's sections."""
    yield from _check_account(tables)
    counted = {operation.feature or name for name, operation in tables.operations.items()}
    for name, plan in tables.plans.items():
        yield from _within(("plans", name), _check_plan(plan, counted))
    for role, plan_id in tables.roles.items():
        if plan_id not in tables.plans:
            yield ("roles", role), _unknown(plan_id, tables.plans)
        elif tables.plans[plan_id].driven_by == "stripe":
            yield ("roles", role), _BY_STRIPE
    for feature, plan_id in tables.entitlements.items():
        if plan_id not in tables.plans:
            yield ("entitlements", feature), _unknown(plan_id, tables.plans)
        elif tables.plans[plan_id].driven_by == "stripe":
            yield ("entitlements", feature), _BY_STRIPE
    for name, operation in tables.operations.items():
        yield from _within(("operations", name), check_operation(operation))
    yield from check_prices(tables)
    for name, pack in tables.packs.items():
        yield from _within(("packs", name), _check_pack(pack))
    yield from _check_stripe_prices(tables)


def _within(section: tuple[str, ...], found: Iterable[Found]) -> Iterator[Found]:
    for place, reason in found:
        yield (*section, *place), reason


def price_minor(price_micro: int, currency: str) -> int:
    """The price in the smallest unit that Stripe counts. Raises: ValueError.

    Source: Stripe's page on currencies: an amount has at most eight digits, three-decimal
    amounts end in 0, and Icelandic krónur have two decimals that are always 00.
    """
    digits = minor_digits(currency)
    minor, part = divmod(price_micro * 10**digits, MICRO)
    if part:
        allowed = f"at most {digits} decimals" if digits else "no decimals"
        raise ValueError(f"must have {allowed} in {currency}")
    if minor > LARGEST_PRICE_MINOR:
        raise ValueError("is higher than the largest amount that Stripe charges")
    if currency in THREE_DECIMAL_CURRENCIES and minor % 10:
        raise ValueError(f"must end in 0 in {currency}: Stripe charges no smaller step")
    if currency == "isk" and minor % 100:
        raise ValueError("must be whole krónur: Stripe charges no parts of one")
    return minor


def _unknown(name: str, known: Iterable[str]) -> str:
    return f"names {name[:80]!r}, which is not in the catalog; it has {_some(known)}"


def _some(names: Iterable[str]) -> str:
    listed = sorted(names)
    more = len(listed) - MOST_NAMES_SHOWN
    return ", ".join(listed[:MOST_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _check_account(tables: CatalogTables) -> Iterator[Found]:
    account = tables.account
    if account.default_plan not in tables.plans:
        yield ("account", "default_plan"), _unknown(account.default_plan, tables.plans)
    elif tables.plans[account.default_plan].driven_by == "stripe":
        yield ("account", "default_plan"), "is a plan that has to be paid for at Stripe first"
    try:
        find_zone(account.zone)
    except InvalidError as error:
        yield ("account", "zone"), error.problems[0][1]


def _check_pack(pack: PackTable) -> Iterator[Found]:
    try:
        price_minor(pack.price, pack.currency)
    except ValueError as error:
        yield ("price",), str(error)


def _check_stripe_prices(tables: CatalogTables) -> Iterator[Found]:
    """Each price at Stripe sells one thing, so that what was paid for is never a guess."""
    owners: dict[str, str] = {}
    named = [
        ("packs", name, "stripe_price", pack.stripe_price) for name, pack in tables.packs.items()
    ]
    for name, plan in tables.plans.items():
        named.append(("plans", name, "stripe_price", plan.stripe_price))
        named += [("plans", name, "former_prices", price) for price in plan.former_prices]
    for section, name, key, price in named:
        owner = owners.setdefault(price, f"{section}.{name}") if price else ""
        if price and owner != f"{section}.{name}":
            yield (section, name, key), f"holds {price}, which is the price of {owner}"


def _check_sale(plan: PlanTable) -> Iterator[Found]:
    """A plan that Stripe drives has a whole price; another has none."""
    if plan.driven_by == "stripe":
        for key in ("price", "currency", "interval"):
            if getattr(plan, key) is None:
                yield (key,), 'is missing: driven_by = "stripe" needs it'
        if plan.anchor == "opening":
            yield ("anchor",), "cannot stand here: the periods are those of the invoices"
        if plan.price is not None and plan.currency is not None:
            try:
                price_minor(plan.price, plan.currency)
            except ValueError as error:
                yield ("price",), str(error)
        return
    for key in ("price", "currency", "interval", "stripe_price", "former_prices"):
        if getattr(plan, key):
            yield (key,), 'needs driven_by = "stripe": nobody pays for a plan of the calendar'


def _check_plan(plan: PlanTable, counted: set[str]) -> Iterator[Found]:
    yield from _check_sale(plan)
    if plan.rollover == "capped" and plan.rollover_cap is None:
        yield ("rollover_cap",), 'is missing: rollover = "capped" needs it'
    if plan.rollover != "capped" and plan.rollover_cap is not None:
        yield ("rollover_cap",), f'cannot stand beside rollover = "{plan.rollover}"'
    for feature in plan.features:
        if feature not in counted:
            reason = f"limits what no operation counts against; operations count: {_some(counted)}"
            yield ("features", feature), reason


def check_operation(operation: AnyOperation) -> Iterator[Found]:
    """Everything within one operation that does not fit together."""
    match operation:
        case FlatTable():
            yield from _check_flat(operation)
            yield from _check_models(operation.models)
        case Per1kTokensTable():
            if not operation.models:
                yield ("models",), "is missing: credits per 1,000 tokens are stated per model"
            yield from _check_models(operation.models)
        case ResourceTable():
            if not (operation.per_cpu_second or operation.per_gb_second or operation.per_second):
                yield (
                    ("per_second",),
                    "is missing: or per_cpu_second or per_gb_second, at least one",
                )
        case PerUnitTable() | TokensTable() | LocalTable():
            pass
    yield from _check_sizes(operation)
    yield from check_terms(operation)


def _check_flat(operation: FlatTable) -> Iterator[Found]:
    if operation.free and (operation.models or operation.credits):
        yield ("free",), "cannot stand beside a price"
    elif operation.free:
        return
    elif operation.models and operation.credits is not None:
        yield ("credits",), "cannot stand beside models, which have their own credits"
    elif operation.credits == 0:
        yield ("credits",), "must be greater than 0; write free = true if it shall cost nothing"
    elif not operation.models and operation.credits is None:
        yield ("credits",), "is missing: a flat operation has credits, or models with credits"


def _check_models(models: list[ModelTable]) -> Iterator[Found]:
    names: set[str] = set()
    owners: dict[str, str] = {}
    for index, family in enumerate(models):
        name = family.name.casefold()
        if name in names:
            yield ("models", index, "name"), "is the name of another family of this operation"
        names.add(name)
        for position, pattern in enumerate(family.patterns):
            owner = owners.setdefault(pattern.casefold(), family.name)
            if owner != family.name or pattern.casefold() in _folded(family.patterns[:position]):
                reason = f"holds {pattern!r}, which {owner} already has"
                yield ("models", index, "patterns"), reason


def _folded(patterns: list[str]) -> set[str]:
    return {pattern.casefold() for pattern in patterns}


def _check_sizes(operation: AnyOperation) -> Iterator[Found]:
    if isinstance(operation, LocalTable | ResourceTable) or operation.estimate is None:
        return
    sizes = operation.estimate
    if not sizes.smallest <= sizes.typical <= sizes.largest:
        yield ("estimate",), "must be in order: smallest, typical, largest"
    counts_parts = isinstance(operation, PerUnitTable) and operation.fractional
    for name in ("smallest", "typical", "largest"):
        if not counts_parts and getattr(sizes, name) % MICRO:
            yield ("estimate", name), "must be a whole number; this operation counts no parts"
