"""Operations as the plans change them: the operation's own keys with the plan's in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tollkeeper.edge.catalog_checks import MOST_NAMES_SHOWN, check_operation
from tollkeeper.edge.catalog_models import AnyOperation, CatalogTables, LocalTable
from tollkeeper.edge.catalog_price_checks import Found, find_shared
from tollkeeper.edge.catalog_reasons import Problem, explain_plan_price, problem_at

_OPERATION: TypeAdapter[AnyOperation] = TypeAdapter(AnyOperation)

OnPlans = dict[str, dict[str, AnyOperation]]
"""Shape: plan -> operation -> the operation as it is there."""


def read_plan_prices(
    tables: CatalogTables, document: Mapping[str, Any]
) -> tuple[OnPlans, list[Problem]]:
    """The operations as each plan changes them, and everything that is wrong with a change."""
    changed: OnPlans = {}
    problems: list[Problem] = []
    for plan, terms in tables.plans.items():
        for name in terms.prices:
            try:
                own = _merge(plan, name, tables, document)
            except ValidationError as error:
                problems += explain_plan_price(error, plan, name, document)
            except LookupError as error:
                place = ("plans", plan, "prices", name)
                problems.append(problem_at(place, str(error.args[0]), document))
            else:
                changed.setdefault(plan, {})[name] = own
    problems += [problem_at(at, reason, document) for at, reason in _check(tables, changed)]
    return changed, problems


def _merge(
    plan: str, name: str, tables: CatalogTables, document: Mapping[str, Any]
) -> AnyOperation:
    """The operation on that plan. Raises: LookupError with the reason, ValidationError."""
    if name not in tables.operations:
        known = ", ".join(sorted(tables.operations)[:MOST_NAMES_SHOWN])
        raise LookupError(f"changes an operation that is not in the catalog; it has {known}")
    if isinstance(tables.operations[name], LocalTable):
        raise LookupError("changes a local operation, which costs nothing on any plan")
    own: dict[str, Any] = document["plans"][plan]["prices"][name]
    base: dict[str, Any] = dict(document["operations"][name])
    if own.get("free") is True:
        for key in ("credits", "models", "minimum", "free_allowance", "tiers"):
            base.pop(key, None)
    return _OPERATION.validate_python({**base, **own})


def _check(tables: CatalogTables, changed: OnPlans) -> Iterator[Found]:
    for name, key, reason in find_shared(tables.operations.items()):
        yield ("operations", name, key), reason
    for plan, operations in changed.items():
        for name, operation in operations.items():
            for place, reason in check_operation(operation):
                yield ("plans", plan, "prices", name, *place), reason
        whole = {**tables.operations, **operations}
        for name, key, reason in find_shared(whole.items()):
            if name in operations:
                yield ("plans", plan, "prices", name, key), reason
