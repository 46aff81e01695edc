"""What an account's period has free, and what of it is used."""

from __future__ import annotations

from dataclasses import dataclass

from tollkeeper.domain.account import Account
from tollkeeper.domain.catalog import Catalog, Per1kTokens, PerUnit, Rule
from tollkeeper.domain.rules import Tokens


@dataclass(frozen=True, slots=True)
class Allowance:
    """The free part of a feature in the current period. Units: millionths of `unit`.

    `used_micro` goes on above `free_micro`: tiers count in it too.
    """

    feature: str
    used_micro: int
    free_micro: int
    unit: str


def read_allowances(account: Account, catalog: Catalog) -> tuple[Allowance, ...]:
    """The allowances of the account's plan, one for each feature that has one."""
    found: dict[str, Allowance] = {}
    for name, operation in catalog.operations.items():
        if not operation.counts_volume:
            continue
        here = catalog.operation_on(name, account.plan.id)
        if here.terms.free_micro and here.feature not in found:
            used = account.volumes.get(here.feature, 0)
            free, unit = here.terms.free_micro, unit_of(here.rule)
            found[here.feature] = Allowance(here.feature, used, free, unit)
    return tuple(found.values())


def unit_of(rule: Rule) -> str:
    """What a rule's volume counts."""
    match rule:
        case PerUnit(unit=unit):
            return unit
        case Per1kTokens() | Tokens():
            return "token"
        case _:
            return "call"
