"""Tables of the gate: holds, limits, budgets and alerts, read as the API shows them.

A table opens with `plan`, `price` and `low` lines, and has the columns

    when | what | available | held | grants | rows | shows

`when` is UTC; an empty one means the same moment. `what` is a step, of `user_1` where it names
no account before a colon; `-> code` after it says that it is refused, with the rule that blocks it
in brackets. `grants` are what can be drawn, in the order in which it is drawn. `rows` are the
ledger rows of the step with what each changed. `shows` are facts as `name=value`: members of
the step's answer, numbers of the account, and the `alerts` of the step's rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from .asking import Words, read_ask
from .books import Answer, Book, Look
from .catalog import write_catalog

COLUMNS = 7
HEADER = ("plan ", "price ", "low ")
ANSWERED = (
    *("charged", "released", "uncollected", "late", "required", "limit", "spent_there"),
    *("transferred", "returned", "budget_available", "expires_at", "state", "replayed", "lost"),
)
NEVER = "9999"


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    when: datetime
    what: str
    available: str
    held: str
    grants: str
    rows: str
    shows: str

    def text(self) -> str:
        """The line as it stands in the file."""
        when = self.when.strftime("%Y-%m-%d %H:%M:%S.%f").removesuffix(".000000")
        cells = (when, self.what, self.available, self.held, self.grants, self.rows, self.shows)
        return " | ".join(cells)


@dataclass
class Table:
    """A table as it was read."""

    catalog: str
    lines: list[Line]


@dataclass
class Reader:
    """Goes through a table with somebody who keeps its books."""

    book: Book
    seen: dict[str, int] = field(default_factory=dict[str, int])
    number: int = 0

    def take(self, line: Line) -> Line:
        """The line as it came out."""
        self.number += 1
        what = line.what.partition(" -> ")[0]
        account, _, step = what.rpartition(": ")
        account = account or "user_1"
        words = tuple(step.split())
        answer = Answer(200, {})
        if words[0] == "touch":
            self.book.sweep(line.when)
        elif words[0] != "look":
            answer = self.book.ask(read_ask(Words(account, words, self.number)), line.when)
        look = self.book.look(account, line.when)
        new = look.rows[self.seen.get(account, 0) :]
        self.seen[account] = len(look.rows)
        return Line(
            line.when,
            what if answer.status < 300 else f"{what} -> {_show_refusal(answer.body)}",
            show(look.account["available"]),
            show(look.account["held"]),
            _show_grants(look.account["grants"], line.when),
            _show_rows([row for row, _ in new]),
            _show_facts(line.shows, answer.body, look, [each for _, a in new for each in a]),
        )


def read_table(path: Path) -> Table:
    """The table of the file."""
    header: list[str] = []
    lines: list[Line] = []
    for raw in path.read_text(encoding="utf-8").splitlines():
        text = raw.strip()
        if not text or text.startswith(("#", "when ")):
            continue
        if text.startswith(HEADER):
            header.append(text)
            continue
        cells = [cell.strip() for cell in text.split("|")]
        assert len(cells) == COLUMNS, f"{COLUMNS} columns: {text}"
        when = datetime.fromisoformat(cells[0]).replace(tzinfo=UTC) if cells[0] else lines[-1].when
        lines.append(Line(when, *cells[1:]))
    return Table(write_catalog(header), lines)


def run_table(table: Table, book: Book) -> tuple[list[str], list[str]]:
    """The table as it was written and as it came out, line by line."""
    reader = Reader(book)
    return [line.text() for line in table.lines], [reader.take(line).text() for line in table.lines]


def show(value: object) -> str:
    """A number without zeros at its end; anything else as it is."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | Decimal):
        text = f"{Decimal(value):f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value).removesuffix("+00:00").removesuffix("Z")


def _show_refusal(body: dict[str, Any]) -> str:
    code = str(body["code"])
    return f"{code}({body['blocking']})" if code == "limit_reached" else code


def _show_grants(grants: list[dict[str, Any]], when: datetime) -> str:
    shown: list[str] = []
    here = [grant for grant in grants if grant["remaining"]]
    for grant in sorted(here, key=_order):
        text = f"{grant['kind']} {show(grant['remaining'])}"
        starts = datetime.fromisoformat(grant["effective_at"])
        shown.append(f"({text})" if starts > when else text)
    return ", ".join(shown) or "-"


def _order(grant: dict[str, Any]) -> tuple[Any, ...]:
    number = int(grant["id"][1:])
    return grant["priority"], grant["expires_at"] or NEVER, grant["effective_at"], number


def _show_rows(rows: list[dict[str, Any]]) -> str:
    counted: dict[str, int] = {}
    for row in rows:
        sign = "+" if row["delta"] > 0 else ""
        text = f"{row['kind']} {sign}{show(row['delta'])}"
        counted[text] = counted.get(text, 0) + 1
    return ", ".join(t if n == 1 else f"{n} x {t}" for t, n in counted.items()) or "-"


def _show_facts(asked: str, body: dict[str, Any], look: Look, alerts: list[str]) -> str:
    """The facts that the line asks for, as they are."""
    account = look.account
    facts: dict[str, object] = {"alerts": ",".join(alerts) or "-"}
    facts |= {name: account[name] for name in ("debt", "spendable", "status", "zone")}
    facts |= {f"total_{name}": value for name, value in account["totals"].items()}
    for window in account["windows"]:
        facts |= {f"{name}_{window['window']}": window[name] for name in ("spent", "percent")}
    facts |= {f"used:{each['feature']}": each["used"] for each in account["features"]}
    answered = {"lost": body.get("expired"), "spent_there": body.get("spent")} | body
    facts |= {name: answered.get(name) for name in ANSWERED}
    names = [fact.partition("=")[0] for fact in asked.split()]
    return " ".join(f"{name}={show(facts[name])}" for name in names)
