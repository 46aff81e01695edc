"""What a range of the ledger would have cost under another catalog. Nothing is ever written.

    python -m local.catalog_diff --new path/to/catalog.toml [--export FOLDER | --table NAME]
        [--from DAY] [--to DAY] [--top 20] [--json]

Every charge is priced again from what its row says was used, under the new catalog: in the order
of its account's rows, on the plan that the account was on, with the volume that its period had
come to under the new catalog, and with the dated rates of its own moment. The days are those of
UTC, and `--to` is among them. A void counts on both sides on its own day; a refund on neither.
What was too much for an account to pay counts as priced, not as collected.
Exit: 0, or 2 where the catalog is wrong or the table cannot be read.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from local.export_files import ExportError, Item
from local.sorted_items import open_sorter
from local.table_items import SourceError, port_of_environment, read_source
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.entries import Entry, EntryKind
from tollkeeper.domain.errors import CatalogError, TollkeeperError
from tollkeeper.domain.money import show_micro
from tollkeeper.domain.pricing import Priced, Standing
from tollkeeper.domain.recompute import price_again, stated_price
from tollkeeper.domain.rerating import BEFORE
from tollkeeper.edge.catalog_file import read_catalog
from tollkeeper.store.items import entry_from_item
from tollkeeper.store.writes import returned_from_item

GROUPS = ("operation", "model", "account")
USUAL_TOP = 20


@dataclass(slots=True)
class Sum:
    """Charges of one operation, model or account. Units: micro-credits."""

    charges: int = 0
    old: int = 0
    new: int = 0

    @property
    def change(self) -> int:
        """What the new catalog would have charged more."""
        return self.new - self.old

    def add(self, charges: int, old: int, new: int) -> None:
        """More of them."""
        self.charges += charges
        self.old += old
        self.new += new


@dataclass(slots=True)
class Diff:
    """What was read so far. `left_out` says why, with the credits that were charged for it.

    `on_stand_in` are charges whose model the new catalog does not know either, and prices at
    another one's rates.
    """

    total: Sum = field(default_factory=Sum)
    groups: dict[str, dict[str, Sum]] = field(default_factory=lambda: {name: {} for name in GROUPS})
    left_out: dict[str, Sum] = field(default_factory=dict[str, Sum])
    unreadable: Counter[str] = field(default_factory=Counter[str])
    on_stand_in: Sum = field(default_factory=Sum)

    def add(self, entry: Entry, charges: int, *, old: int, new: int) -> None:
        """A charge, or a part of one, is in every sum that it belongs to."""
        assert entry.run is not None, "a charge has a run"
        operation, model = entry.run.operation, entry.run.model
        names = (operation, f"{operation} / {model or '-'}", entry.account)
        self.total.add(charges, old, new)
        for group, name in zip(GROUPS, names, strict=True):
            self.groups[group].setdefault(name, Sum()).add(charges, old, new)

    def leave_out(self, why: str, old: int) -> None:
        """A charge that the new catalog does not price."""
        self.left_out.setdefault(why, Sum()).add(1, old, 0)

    def movers(self, group: str, top: int) -> list[tuple[str, Sum]]:
        """The names whose sum changes most, the largest change first."""
        ranked = sorted(self.groups[group].items(), key=lambda each: (-abs(each[1].change), each))
        return [(name, found) for name, found in ranked if found.change][:top]


@dataclass(slots=True)
class Walk:
    """One account's ledger on its way: its plan, and what its period used under the new catalog.

    `returned` are the charges that were given back: of these it is kept what they came to.
    """

    plan: str = ""
    period: int = 0
    volumes: dict[str, int] = field(default_factory=dict[str, int])
    returned: set[str] = field(default_factory=set[str])
    kept: dict[str, tuple[int, Priced]] = field(default_factory=dict[str, tuple[int, Priced]])

    def begin_period(self, plan: str) -> None:
        """Another period of a plan: nothing is used yet."""
        self.plan = plan
        self.period += 1
        self.volumes.clear()

    def price(self, entry: Entry, catalog: Catalog) -> Priced:
        """The charge under the new catalog, counted. Raises: TollkeeperError."""
        assert entry.run is not None, "a charge has a run"
        is_first = entry.run.feature_count > 0
        standing = Standing(self.plan, dict(self.volumes), is_first=is_first)
        priced = price_again(entry, catalog, standing)
        self._count(priced, 1)
        if entry.key in self.returned:
            self.kept[entry.key] = self.period, priced
        return priced

    def undo(self, charge: str) -> int:
        """What the charge came to, which counts in its period no more. Units: micro-credits."""
        period, priced = self.kept.pop(charge)
        if period == self.period:
            self._count(priced, -1)
        return priced.charged_microcredits

    def _count(self, priced: Priced, sign: int) -> None:
        run = priced.run
        if run.volume_micro:
            used = self.volumes.get(run.feature, 0) + sign * run.volume_micro
            self.volumes[run.feature] = max(0, used)


@dataclass(frozen=True, slots=True)
class Range:
    """Days, both included."""

    first: date = date.min
    last: date = date.max

    def has(self, entry: Entry) -> bool:
        """The row was written on one of these days, in UTC."""
        return self.first <= entry.at.date() <= self.last


def compare(ledgers: Iterable[tuple[str, Iterable[Item]]], catalog: Catalog, days: Range) -> Diff:
    """Every charge of these days under that catalog. Shape: as Sorter.by_ledger."""
    diff = Diff()
    for _, items in ledgers:
        walk = Walk()
        for item in items:
            try:
                _step(diff, walk, item, catalog, days)
            except (ValueError, KeyError, TypeError, AssertionError) as error:
                diff.unreadable[type(error).__name__] += 1
    return diff


def _step(diff: Diff, walk: Walk, item: Item, catalog: Catalog, days: Range) -> None:
    """The item is counted. Raises: whatever it cannot be read for."""
    if item["sk"]["S"].startswith("B#"):
        walk.returned.add(returned_from_item(item).charge)
        return
    entry = entry_from_item(item)
    match entry.kind:
        case EntryKind.RESET:
            walk.begin_period(entry.details["plan"])
        case EntryKind.CHARGE | EntryKind.SETTLE:
            _add_charge(diff, walk, entry, catalog, days)
        case EntryKind.VOID if entry.refers_to in walk.kept:
            new = walk.undo(entry.refers_to)
            if days.has(entry):
                diff.add(entry, -1, old=-entry.moved_microcredits, new=-new)
        case EntryKind.RERATE if days.has(entry):
            # Why: its charge is priced under the new catalog already; only the old price changes.
            diff.add(entry, 0, old=stated_price(entry) - int(entry.details[BEFORE]), new=0)
        case _:
            pass


def _add_charge(diff: Diff, walk: Walk, entry: Entry, catalog: Catalog, days: Range) -> None:
    old = stated_price(entry)
    try:
        priced = walk.price(entry, catalog)
    except TollkeeperError as error:
        if days.has(entry):
            diff.leave_out(f"{error.code} {_about(error, entry)}", old)
        return
    if not days.has(entry):
        return
    new = priced.charged_microcredits
    diff.add(entry, 1, old=old, new=new)
    if priced.run.stands_for:
        diff.on_stand_in.add(1, old, new)


def _about(error: TollkeeperError, entry: Entry) -> str:
    """What it is about, so that equal reasons are one line."""
    assert entry.run is not None, "a charge has a run"
    match error.code:
        case "unknown_operation":
            return entry.run.operation
        case "unknown_model":
            return f"{entry.run.operation} / {entry.run.model or '-'}"
        case _:
            return f"{entry.run.operation}: {error.detail}"


def to_json(diff: Diff, *, top: int) -> dict[str, Any]:
    """The comparison for programs: amounts are decimal texts in credits."""
    return {
        "total": _show(diff.total),
        **{
            f"by_{group}": [{group: name} | _show(s) for name, s in diff.movers(group, top)]
            for group in GROUPS
        },
        "on_stand_in": _show(diff.on_stand_in),
        "left_out": [
            {"why": why, "charges": found.charges, "old": show_micro(found.old)}
            for why, found in sorted(diff.left_out.items())
        ],
        "unreadable": sum(diff.unreadable.values()),
    }


def _show(found: Sum) -> dict[str, Any]:
    return {
        "charges": found.charges,
        "old": show_micro(found.old),
        "new": show_micro(found.new),
        "change": show_micro(found.change),
    }


def to_text(diff: Diff, *, top: int, version: str) -> str:
    """The comparison for people."""
    lines = [
        f"{diff.total.charges:,} charges under the catalog {version}: charged -> priced anew",
        _line("all", diff.total),
    ]
    for group in GROUPS:
        movers = diff.movers(group, top)
        changed = sum(1 for found in diff.groups[group].values() if found.change)
        more = f", the first {len(movers)}" if changed > len(movers) else ""
        lines.append(f"by {group}: {changed:,} of {len(diff.groups[group]):,} change{more}")
        lines += [_line(name, found) for name, found in movers]
    if diff.on_stand_in.charges:
        lines.append("of models that the catalog does not know, at another one's rates")
        lines.append(_line("all", diff.on_stand_in))
    if diff.left_out:
        lines.append("left out: the catalog would have refused them, or a row cannot say")
        for why, found in sorted(diff.left_out.items()):
            lines.append(f"  {found.charges:>9,} of {show_micro(found.old)} credits  {why}")
    if diff.unreadable:
        lines.append(f"left out: {sum(diff.unreadable.values()):,} rows that cannot be read")
    return "\n".join(lines) + "\n"


def _line(name: str, found: Sum) -> str:
    sign = "+" if found.change > 0 else ""
    of_it = f" ({sign}{_percent(found)}%)" if found.old else ""
    amounts = f"{show_micro(found.old)} -> {show_micro(found.new)}"
    change = f"{sign}{show_micro(found.change)}{of_it}"
    return f"  {found.charges:>9,}  {amounts}  {change}  {name}"


def _percent(found: Sum) -> str:
    """To one decimal, rounded towards nothing."""
    tenths = abs(found.change) * 1000 // abs(found.old)
    minus = "-" if (found.change < 0) != (found.old < 0) else ""
    return f"{minus}{tenths // 10}.{tenths % 10}"


def main(arguments: Sequence[str]) -> int:
    """The comparison is printed. Returns: the exit code."""
    parser = argparse.ArgumentParser(prog="catalog_diff", description=str(__doc__).split("\n")[0])
    parser.add_argument("--new", required=True, type=Path, metavar="CATALOG")
    parser.add_argument("--export", nargs="+", type=Path, default=[], metavar="FOLDER_OR_FILE")
    parser.add_argument("--table", default="", metavar="NAME")
    parser.add_argument("--from", dest="first", type=date.fromisoformat, metavar="DAY")
    parser.add_argument("--to", dest="last", type=date.fromisoformat, metavar="DAY")
    parser.add_argument("--top", type=int, default=USUAL_TOP)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    try:
        catalog = read_catalog(asked.new)
        days = Range(asked.first or date.min, asked.last or date.max)
        items = read_source(export=asked.export, table=asked.table, port=port_of_environment())
        with open_sorter() as sorter:
            sorter.add(items)
            diff = compare(sorter.by_ledger(), catalog, days)
    except (SourceError, ExportError, CatalogError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if asked.json:
        sys.stdout.write(json.dumps(to_json(diff, top=asked.top), ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(to_text(diff, top=asked.top, version=catalog.version))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
