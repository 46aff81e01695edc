"""Charges of models that nobody has a price for, and what corrects them, each in one line."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.books import Book
from tests.unit.building import CATALOG, a_key, a_run
from tollkeeper.domain.catalog import Catalog, PlanTerms, SettlePolicy
from tollkeeper.domain.entries import Entry, Line
from tollkeeper.domain.money import show_micro
from tollkeeper.domain.pricing import Priced
from tollkeeper.domain.rerating import Rerate, decide_rerate
from tollkeeper.store.items import entry_from_item


def priced_at(micro: int, *, picousd: int | None = 900, is_known: bool = True) -> Priced:
    """A run of gpt-9 at that price: its own, or one that stands for it."""
    run = a_run("chat", model="gpt-4", tokens=20).run
    run = replace(
        run,
        model="gpt-9",
        cost_picousd=picousd,
        lines=(Line("gpt-9 tokens", "20", show_micro(micro), micro),),
        stands_for="" if is_known else "gpt-4",
        pending="" if is_known else "unknown_model",
    )
    return Priced(run, micro)


def unknown(micro: int, *, picousd: int | None = 5000) -> Priced:
    """A run of a model that nobody has a price for, at what stands for it."""
    return priced_at(micro, picousd=picousd, is_known=False)


def row_of(book: Book, key: str) -> Entry:
    """The row of that caller's key."""
    return entry_from_item(book.items[f"E#c#{key}"])


def rerate(
    book: Book, charge: str, right: Priced, *, key: str = "again", catalog: Catalog = CATALOG
) -> Entry:
    """The charge is corrected to that price; its row."""
    command = Rerate(a_key(key), "h", row_of(book, charge), right, "gpt-9 has a price")
    book.do(lambda draft: decide_rerate(draft, command, catalog))
    return row_of(book, key)


def with_policy(policy: SettlePolicy) -> Catalog:
    """The catalog with that policy on every plan."""
    plans: dict[str, PlanTerms] = {
        name: replace(terms, settle_above_hold=policy) for name, terms in CATALOG.plans.items()
    }
    return replace(CATALOG, plans=plans)
