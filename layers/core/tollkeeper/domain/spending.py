"""Credits that are spent: taken from grants, counted in windows, totals and features."""

from __future__ import annotations

from dataclasses import replace

from tollkeeper.domain.account import Account
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.entries import Run
from tollkeeper.domain.grants import Draw, draw_down
from tollkeeper.domain.seen import see, size_of
from tollkeeper.domain.totals import count, key_of, total_of_charge

MOST_VOLUMES = 50
"""How many features a catalog may price by volume: each is a number in the account's item."""


def take(
    account: Account, amount_microcredits: int, *, is_held: bool = False
) -> tuple[Account, tuple[Draw, ...], int]:
    """The account with the amount out of its grants, the draws, and what became debt.

    `is_held`: the amount may come back, so the grants that it empties stay, as those of holds do.
    """
    kept = frozenset(g.id for g in account.grants) if is_held else account.held_grants
    grants, draws, missing = draw_down(account.grants, amount_microcredits, kept)
    debt = account.debt_microcredits + missing
    return replace(account, grants=grants, debt_microcredits=debt), draws, missing


def count_spent(account: Account, run: Run, amount_microcredits: int) -> Account:
    """The amount counts as spent, now: in the windows, today's totals and the lifetime."""
    life = account.lifetime
    total = total_of_charge(run, amount_microcredits)
    return replace(
        account,
        totals=count(account.totals, key_of(run), total),
        lifetime=replace(life, spent=life.spent + amount_microcredits),
        windows=account.windows.plus(amount_microcredits),
    )


def count_feature(account: Account, feature: str, count_: int, catalog: Catalog) -> Account:
    """The plan's counter with that many more, where the plan counts the feature."""
    if not count_ or feature not in catalog.plan(account.plan.id).features:
        return account
    used = max(0, account.features.get(feature, 0) + count_)
    return replace(account, features={**account.features, feature: used})


def count_volume(account: Account, run: Run, catalog: Catalog) -> Account:
    """What the period used of the run's feature has grown by the run, where that is counted.

    Why: a settle may be priced with terms that the catalog has no more; such features are the
    first to go when there are as many as an account may count.
    """
    if not run.volume_micro:
        return account
    volumes = dict(account.volumes)
    if run.feature not in volumes and len(volumes) >= MOST_VOLUMES:
        counted = {each.feature for each in catalog.operations.values() if each.counts_volume}
        volumes = {feature: used for feature, used in volumes.items() if feature in counted}
    volumes[run.feature] = volumes.get(run.feature, 0) + run.volume_micro
    return replace(account, volumes=volumes)


def see_size(account: Account, run: Run, catalog: Catalog) -> Account:
    """The account knows one more size of the operation's calls, where estimates use sizes."""
    operation = catalog.operations.get(run.operation)
    if operation is None or operation.sizes is None:
        return account
    size = size_of(run, operation.rule)
    return account if not size else replace(account, seen=see(account.seen, run.operation, size))
