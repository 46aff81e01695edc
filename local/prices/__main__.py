"""`make prices`: the price book beside a catalog is made anew from the pinned price package.

Prints what is left out and what changes. A rate that changes by more than the limit, and a model
that disappears, leave the file as it is until the change is accepted. Exit: 0 when the file says
what the source says, 1 when it does not.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import cast

from local.prices.comparing import Comparison, compare_books, show_groups
from local.prices.making import Made, PatternError, make_book
from local.prices.source import Source, read_package
from tollkeeper.domain.book import PriceBook
from tollkeeper.domain.errors import CatalogError
from tollkeeper.edge.book_file import BOOK_FILE, check_book, parse_book

LIMIT_PERCENT = 25
CATALOG = Path("layers/catalog/catalog.toml")

Say = Callable[[str], object]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the command is asked for. `generated` is "" for today, where anything changes."""

    catalog: Path
    limit_percent: int = LIMIT_PERCENT
    accept: bool = False
    generated: str = ""

    @property
    def book(self) -> Path:
        """The file that is written: beside the catalog."""
        return self.catalog.with_name(BOOK_FILE)


def main(arguments: Sequence[str]) -> int:
    """0 when the book is as the source has it; else 1 and the book is as it was."""
    parser = argparse.ArgumentParser(prog="prices", description=__doc__)
    parser.add_argument("--catalog", type=Path, default=CATALOG, help="whose [prices].models")
    parser.add_argument("--limit", type=int, default=LIMIT_PERCENT, help="percent of one rate")
    parser.add_argument("--accept", action="store_true", help="larger changes are meant")
    parser.add_argument("--date", type=date.fromisoformat, help="what the book is dated with")
    given = parser.parse_args(arguments)
    wish = Wish(
        catalog=given.catalog,
        limit_percent=given.limit,
        accept=given.accept,
        generated=given.date.isoformat() if given.date else "",
    )
    return make_prices(wish, read_package(), lambda line: sys.stdout.write(f"{line}\n"))


def make_prices(wish: Wish, source: Source, say: Say) -> int:
    """The book is written, or what keeps it from being written is said."""
    try:
        patterns = read_patterns(wish.catalog)
        last_text = _read(wish.book)
        last = check_book(last_text, str(wish.book)) if last_text else None
        made = make_book(source, patterns, generated=_date(wish, last))
        if last and made.text != last_text and not wish.generated:
            made = make_book(source, patterns, generated=_today())
    except (CatalogError, PatternError) as error:
        say(str(error))
        return 1
    new = parse_book(made.text)
    comparison = compare_books(last, new)
    _say_all(made, comparison, new, say)
    refusals = comparison.refusals(wish.limit_percent)
    if refusals and not wish.accept:
        for refusal in refusals:
            say(f"refused: {refusal}")
        say(f"{wish.book} is as it was. A change of more than {wish.limit_percent} % of a rate, or")
        say("a model less, is written when it is accepted: make prices ACCEPT=1")
        return 1
    if made.text == last_text:
        say(f"{wish.book} is as it was: {made.count} models of {source.name}")
        return 0
    wish.book.write_text(made.text, encoding="utf-8")
    size = len(made.text.encode())
    say(f"{wish.book} is written: {made.count} models of {source.name}, {size:,} bytes")
    return 0


def _date(wish: Wish, last: PriceBook | None) -> str:
    """The day that was asked for, else the last book's, so that the same prices stay the same."""
    return wish.generated or (last.generated if last else _today())


def _today() -> str:
    return datetime.now(tz=UTC).date().isoformat()


def _read(book: Path) -> str:
    try:
        return book.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def read_patterns(catalog: Path) -> list[str]:
    """The `[prices].models` of that catalog. Raises: CatalogError."""
    try:
        with catalog.open("rb") as file:
            document: dict[str, object] = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CatalogError(str(catalog), "file", f"cannot be read: {error}") from error
    prices = document.get("prices")
    models = cast("dict[str, object]", prices).get("models") if isinstance(prices, dict) else None
    listed = cast("list[object]", models) if isinstance(models, list) else []
    if not listed or not all(isinstance(each, str) for each in listed):
        raise CatalogError(str(catalog), "prices.models", 'must list patterns such as "openai:*"')
    return cast("list[str]", listed)


def _say_all(made: Made, comparison: Comparison, new: PriceBook, say: Say) -> None:
    for line in show_groups(made.left_out):
        say(f"left out, {line}")
    for line in show_groups(made.keys_left_out):
        say(f"left out of models, {line}")
    for model in comparison.added:
        say(f"added: {model}")
    for model in comparison.removed:
        say(f"removed: {model}")
    for change in comparison.changes:
        say(f"changed: {change.show()}")
    same = not (comparison.added or comparison.removed or comparison.changes)
    if same:
        say(f"no price differs; the book has {', '.join(new.providers)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
