"""Entitlements: the plan for the features that an app's auth provider states of a user."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tollkeeper.domain.account import PlanState
from tollkeeper.domain.catalog import Catalog, Driver
from tollkeeper.domain.operating import ChangePlan, Command

MOST_CLAIMED = 100
LONGEST_FEATURE = 100


@dataclass(frozen=True, slots=True)
class Entitle(Command):
    """The user has these features, and no others."""

    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entitlement:
    """The plan that follows from the features, and the one that it follows from.

    `feature` is empty where none of them names a plan, so that it is the default one.
    """

    plan: str
    feature: str = ""


def find_entitlement(features: Iterable[str], catalog: Catalog) -> Entitlement:
    """The plan with the largest allocation of those that the features name; none: the default.

    Why: of two that give as much the id decides, so the order of the features is nothing. One
    that only a payment begins follows from no feature.
    """
    named = {
        feature: catalog.plans[catalog.entitlements[feature]]
        for feature in features
        if catalog.entitlements.get(feature) in catalog.plans
    }
    free = {f: terms for f, terms in named.items() if terms.driver is Driver.CALENDAR}
    if not free:
        return Entitlement(catalog.default_plan)
    feature, terms = max(
        free.items(), key=lambda each: (each[1].allocation_microcredits, each[1].id, each[0])
    )
    return Entitlement(terms.id, feature)


def change_for(command: Entitle, catalog: Catalog) -> ChangePlan:
    """The change of plan that the features ask for."""
    found = find_entitlement(command.features, catalog)
    why = f"entitled by {found.feature}" if found.feature else "no feature names a plan"
    return ChangePlan(
        key=command.key,
        request_hash=command.request_hash,
        reason=command.reason or why,
        actor=command.actor,
        plan=found.plan,
    )


def follow(command: Entitle, plan: PlanState, catalog: Catalog) -> ChangePlan:
    """The change of plan for an account that is on this one: up at once, down when it ends.

    Why: a provider that says now this and now that would otherwise bring an allocation each time,
    and one that says nothing for a moment would take what is left.
    """
    change = change_for(command, catalog)
    if change.plan == plan.id:
        return replace(change, at_period_end=bool(plan.next_plan))
    wanted = catalog.plan(change.plan).allocation_microcredits
    is_more = wanted > catalog.plan(plan.id).allocation_microcredits
    return replace(change, at_period_end=not is_more)


def explain_entitlement(command: Entitle, catalog: Catalog) -> str:
    """Why the features lead to their plan."""
    found = find_entitlement(command.features, catalog)
    if found.feature:
        return f"the feature {found.feature} names the plan {found.plan}"
    return f"none of the features names a plan; {found.plan} is the default"
