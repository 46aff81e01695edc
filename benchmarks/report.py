"""Figures as tables that a person can compare, and aims as lines that say how far off they are."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Aim:
    """What is wished for and what was found.

    `is_exact` says that the figure is counted and not timed, so a miss is never the machine's.
    """

    what: str
    wanted: str
    found: str
    is_met: bool
    is_exact: bool


@dataclass(kw_only=True)
class Table:
    """Rows under their columns; what they were measured on stands below."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])
    notes: list[str] = field(default_factory=list[str])

    def add(self, *cells: str) -> None:
        """One more row."""
        assert len(cells) == len(self.columns), "a row has a cell for each column"
        self.rows.append(cells)

    def render(self) -> str:
        """The table as Markdown, its first column to the left and the others to the right."""
        lines = [self.columns, *self.rows]
        # Markdown takes a rule of three signs for a column, not of one.
        widths = [max(3, *(len(line[at]) for line in lines)) for at in range(len(self.columns))]
        rule = [f"{'-' * widths[0]}", *[f"{'-' * (width - 1)}:" for width in widths[1:]]]
        shown = [_row(self.columns, widths), _row(rule, widths)]
        shown += [_row(row, widths) for row in self.rows]
        notes = [f"- {note}" for note in self.notes]
        return "\n".join([f"### {self.title}", "", *shown, *([""] if notes else []), *notes, ""])


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = cells[0].ljust(widths[0])
    rest = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
    return "| " + " | ".join([first, *rest]) + " |"


@dataclass(kw_only=True)
class Section:
    """What one benchmark found."""

    tables: list[Table] = field(default_factory=list[Table])
    aims: list[Aim] = field(default_factory=list[Aim])


def spread(values: Sequence[float], digits: int = 0) -> tuple[str, str, str]:
    """The least, the median and the greatest, as cells."""
    found = (min(values), statistics.median(values), max(values))
    least, median, greatest = (f"{value:,.{digits}f}" for value in found)
    return least, median, greatest


def shown_range(counts: Sequence[int]) -> str:
    """The counts as a cell: one where they are all the same, else the least and the greatest."""
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low}-{high}"


def ratio(values: Sequence[float], reference: Sequence[float]) -> float:
    """The median of the ratios of values that were measured side by side.

    Why: a machine that is slow for a moment is slow for both of a pair.
    """
    return statistics.median(a / b for a, b in zip(values, reference, strict=True))


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def aims_table(aims: Sequence[Aim]) -> Table:
    """All aims in one table."""
    table = Table(title="Aims", columns=("aim", "wanted", "found", "met"))
    for aim in aims:
        table.add(aim.what, aim.wanted, aim.found, "yes" if aim.is_met else "NO")
    return table
