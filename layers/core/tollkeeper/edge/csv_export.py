"""History as CSV: what a spreadsheet opens, and nothing that it would run."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from aws_lambda_powertools.event_handler import Response

from tollkeeper.domain.charges import CHARGES
from tollkeeper.domain.entries import Entry, show_key
from tollkeeper.domain.money import show_micro

COLUMNS = (
    "seq",
    "at",
    "kind",
    "delta",
    "available_after",
    "charged",
    "operation",
    "model",
    "feature",
    "key",
)
LARGEST_PAGE_BYTES = 4_000_000
# The wide forms are read as the plain ones where a spreadsheet speaks Chinese or Japanese.
STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

BEGINS_A_CELL = re.compile(
    rf"(?s)(?<=.)([;\t\r\n][ \"]*)(?=[{re.escape(''.join(STARTS_A_FORMULA))}])"
)


def write_csv(entries: tuple[Entry, ...]) -> tuple[str, int]:
    """The rows with a header, and how many of them fit one page of 4 MB."""
    lines = [write_line(COLUMNS)]
    size = 0
    for entry in entries:
        line = write_line(_cells(entry))
        size += len(line.encode())
        if size > LARGEST_PAGE_BYTES:
            break
        lines.append(line)
    return "".join(lines), len(lines) - 1


def wants_csv(headers: Mapping[str, str]) -> bool:
    """The request would rather have a file than JSON. Shape: headers by lower-case names."""
    return "text/csv" in headers.get("accept", "").lower()


def answer_csv(name: str, text: str, headers: Mapping[str, str] | None = None) -> Response[str]:
    """The text as the file `<name>.csv`."""
    sent = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{name}.csv"',
        **(headers or {}),
    }
    return Response(200, "text/csv; charset=utf-8", text, headers=cast(Any, sent))


def write_line(cells: Sequence[str]) -> str:
    """The cells as one line."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue()


def _cells(entry: Entry) -> list[str]:
    run = entry.run
    is_charge = entry.kind in CHARGES
    texts = (run.operation, run.model, run.label) if run else ("", "", "")
    return [
        str(entry.seq),
        entry.at.isoformat(),
        entry.kind.value,
        show_micro(entry.delta_microcredits),
        show_micro(entry.available_after_microcredits),
        show_micro(entry.moved_microcredits) if is_charge else "",
        *(make_safe(text) for text in (*texts, show_key(entry.key))),
    ]


def make_safe(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula.

    Why inside, too: where a spreadsheet splits at `;` or at a tab, what follows is a cell.
    """
    text = BEGINS_A_CELL.sub(r"\1'", text)
    return f"'{text}" if text.startswith(STARTS_A_FORMULA) else text
