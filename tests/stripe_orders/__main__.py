"""Every story in very many orders, and the story that finds each planted bug.

    python -m tests.stripe_orders [--most 5040] [--evidence docs/evidence/stripe_orders.md]

Exit: 0 where every order of every story ends as its facts say, and each bug is found.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from simulation.evidence import commit_of
from simulation.planted.money_back import BUGS
from simulation.planted.subscriptions import IN_ORDERS
from tests.stripe_orders.hunting import attempts, hunt
from tests.stripe_orders.stack import stacked

WIDEST = 90


def tell_stories(most: int) -> Iterator[tuple[str, str]]:
    """Each story with its shape, and what is wrong with it, if anything."""
    for name, shape, tell in attempts(most=most):
        began = time.process_time()
        with stacked() as stack:
            wrong = tell(stack)
        sys.stdout.write(f"{name} {shape}: {wrong or 'ok'} {time.process_time() - began:.1f} s\n")
        sys.stdout.flush()
        yield f"{name}, {shape}", wrong


def tell_bugs() -> Iterator[tuple[str, str]]:
    """Each bug as a row of the table, and its name where no story finds it."""
    for bug in (*BUGS, *IN_ORDERS):
        caught = hunt(bug, most=20)
        what = "" if caught is None else caught.what.replace("|", "/")[:WIDEST]
        story = "**not found**" if caught is None else f"{caught.story}, {caught.shape}"
        row = f"| {bug.name} | {bug.what} | {story} | {what} |\n"
        sys.stdout.write(row)
        sys.stdout.flush()
        yield row, bug.name if caught is None else ""


def main() -> int:
    """What the command does. Returns: the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.stripe_orders")
    parser.add_argument("--most", type=int, default=5040, help="orders of a story of more than 6")
    parser.add_argument("--evidence", type=Path, help="the page that the run is appended to")
    asked = parser.parse_args()
    began = time.monotonic()
    stories = list(tell_stories(asked.most))
    bugs = list(tell_bugs())
    failed = [name for name, wrong in stories if wrong] + [name for _, name in bugs if name]
    if asked.evidence is not None:
        seconds = time.monotonic() - began
        text = (
            f"\n## {datetime.now(UTC).date().isoformat()}, commit {commit_of()}\n\n"
            f"`python -m tests.stripe_orders --most {asked.most}`, {seconds:,.0f} s, the real"
            f" webhook handler on a table in memory. {len(stories)} stories and shapes, every order"
            f" of up to 6 events (of more, {asked.most:,}), each event twice: {len(failed)} failed."
            "\n\n| planted bug | what it is | found by | what was seen |\n|---|---|---|---|\n"
        )
        with asked.evidence.open("a", encoding="utf-8") as page:
            page.write(text + "".join(row for row, _ in bugs))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
