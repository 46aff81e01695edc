"""Hostile requests on one core, and a section in docs/evidence/hostile.md about them.

python -m simulation.hostile bodies|requests|users|webhooks COUNT [--seed N] [--note]
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from simulation.evidence import commit_of
from simulation.hostile.run import MIXES, FoundError, Totals, run_attacks
from simulation.hostile.target import ROOT, attacked

PAGE = ROOT / "docs" / "evidence" / "hostile.md"
NAMES = {
    "bodies": "hostile bodies",
    "requests": "hostile headers, paths, queries and credentials",
    "users": "users who reach for what is not theirs",
    "webhooks": "forged and spoilt webhooks",
}


def write_section(mix: str, totals: Totals, *, seed: int, seconds: float) -> str:
    """The run as a section."""
    today = datetime.now(UTC).date().isoformat()
    kinds = "\n".join(f"| {kind} | {n:,} |" for kind, n in sorted(totals.kinds.items()))
    answers = ", ".join(f"{status}: {n:,}" for status, n in sorted(totals.statuses.items()))
    codes = ", ".join(f"`{code}` {n:,}" for code, n in sorted(totals.codes.items()))
    return f"""
## {totals.sent:,} {NAMES[mix]}, {today}, commit {commit_of()}

One process, {os.cpu_count()} shared cores, Python {platform.python_version()}, the real handlers \
on a table in memory; {seconds / 60:,.1f} minutes, {totals.sent / seconds:,.0f} a second. \
`python -m simulation.hostile {mix} {totals.sent} --seed {seed}`

| what | how many |
|---|---:|
| sent | {totals.sent:,} |
| of these, by an independent rule, never to be taken | {totals.demanded:,} |
| **taken although they must not be** | **0** |
| **answers of 5xx, but `busy` to what was rightly signed** | **0** |
| **refusals or reads that wrote anything** | **0** |
| answers that docs/openapi.json does not name | 0 |
| taken, as they may be, and wrote; all they left could be read and verified | {totals.wrote:,} |
| comparisons of the whole table | {totals.compared:,} |

| kind | sent |
|---|---:|
{kinds}

By status: {answers or "none"}. Refusals: {codes}.
"""


def main() -> int:
    """The attacks are made; 1 where one got through, which is shown."""
    parser = argparse.ArgumentParser(prog="python -m simulation.hostile")
    parser.add_argument("mix", choices=sorted(MIXES))
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--note", action="store_true", help=f"append to {PAGE.name}")
    asked = parser.parse_args()
    began = time.monotonic()

    def tell(totals: Totals) -> None:
        if totals.sent % 50_000 == 0:
            print(f"{totals.sent:,} in {time.monotonic() - began:,.0f} s", file=sys.stderr)

    with attacked() as target:
        try:
            totals = run_attacks(target, asked.mix, asked.count, seed=asked.seed, tell=tell)
        except FoundError as found:
            print(f"{found}\n{found.attack.event!r}"[:4000], file=sys.stderr)
            return 1
    section = write_section(asked.mix, totals, seed=asked.seed, seconds=time.monotonic() - began)
    print(section)
    if asked.note:
        append(PAGE, section)
    return 0


def append(page: Path, section: str) -> None:
    """The section is at the end of the page."""
    page.parent.mkdir(parents=True, exist_ok=True)
    with page.open("a", encoding="utf-8") as file:
        file.write(section)


if __name__ == "__main__":
    sys.exit(main())
