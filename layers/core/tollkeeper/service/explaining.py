"""One entry with everything that explains it, its price computed again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tollkeeper.domain.charges import CHARGES
from tollkeeper.domain.entries import AccountId, Entry, EntryKey
from tollkeeper.domain.errors import CatalogError, NotFoundError
from tollkeeper.domain.recompute import PRICED_KINDS, Recomputed, recompute, stated_price
from tollkeeper.domain.steps import Step, explain
from tollkeeper.service.pinning import pinned_catalog, with_pinned
from tollkeeper.service.ports import World


@dataclass(frozen=True, slots=True)
class Computation:
    """A row's price once more, and the steps to it."""

    recomputed: Recomputed
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """An entry; the key of what gave it back, or priced it anew, where something did.

    `computation` is None where the row is not about a price.
    """

    entry: Entry
    returned_by: EntryKey | None = None
    rerated_by: EntryKey | None = None
    computation: Computation | None = None


def explain_entry(world: World, account: AccountId, key: EntryKey) -> Explained:
    """One row with all it recorded, its price computed again under the prices of its version.

    Raises: NotFoundError. Cost: one GetItem, two for a charge; one more for each version that
    this process has not read yet.
    """
    entry = world.ledger.read_entry(account, key)
    if entry is None:
        raise NotFoundError("There is no such entry in this account.")
    explained = Explained(entry, computation=compute(world, entry))
    mark = world.ledger.read_return(account, key) if entry.kind in CHARGES else None
    if mark is None:
        return explained
    if mark.is_rerate:
        return replace(explained, rerated_by=mark.by)
    return replace(explained, returned_by=mark.by)


def compute(world: World, entry: Entry) -> Computation | None:
    """The row's price once more; what cannot be computed says why, and is never an error."""
    if entry.run is None or entry.kind not in PRICED_KINDS:
        return None
    recomputed = _recompute(world, entry, entry.run.price_version)
    return Computation(recomputed, explain(entry, recomputed))


def _recompute(world: World, entry: Entry, version: str) -> Recomputed:
    def lose() -> Recomputed:
        return Recomputed(None, stated_price(entry), f"the prices {version or '-'} are not stored")

    def again() -> Recomputed:
        return recompute(entry, pinned_catalog(world, version), is_traced=True)

    try:
        return with_pinned(world, again, lost=lose)
    except (CatalogError, ValueError, KeyError) as error:
        # Why: what an earlier version stored may be more than this one takes.
        why = f"the prices {version} cannot be read: {type(error).__name__}"
        return Recomputed(None, stated_price(entry), why)
