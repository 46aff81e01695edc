"""What Stripe took of a range is held against the ledger, through the API, and healed.

    TOLLKEEPER_KEY=tk_live_... python -m local.reconcile --url URL --from 2026-11-01 --to 2026-12-01

The key needs the scope `admin`. FROM and TO are days in UTC or moments; TO is not in the range.
What was applied before is not applied again, so the command may be stopped and run again.
Exit: 0 where nothing differs (any more), 1 where something does, 2 where the API does not answer.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from local.rerate import Api, ApiError, Body, Send, send_http

PATH = "/v1/reconcile"


def read_moment(text: str) -> str:
    """The day's beginning in UTC, or the moment, as the API takes it. Raises: ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def read_reports(api: Api, since: str, until: str) -> Iterator[Body]:
    """The answers for the whole range, one after the other. Raises: ApiError."""
    cursor: str | None = None
    while True:
        body: Body = {"from": since, "to": until} | ({"cursor": cursor} if cursor else {})
        status, answer = api.call("POST", PATH, body=body)
        if status != 200:
            raise ApiError(f"POST {PATH} answers {status}: {answer.get('detail', answer)}")
        yield answer
        cursor = answer["next_cursor"]
        if cursor is None:
            return


def tell(each: Body) -> str:
    """One line about an object."""
    names = [each["kind"], each["id"], each["what"], each["purchase"], each["account"]]
    reason = f": {each['reason']}" if each["reason"] else ""
    return " ".join(str(name) for name in names if name) + reason


def reconcile(api: Api, since: str, until: str) -> int:
    """The report is printed. Returns: how many objects differ. Raises: ApiError."""
    totals: Counter[tuple[str, str]] = Counter()
    differing = 0
    for report in read_reports(api, since, until):
        for kind, counts in report["counts"].items():
            for name, count in counts.items():
                totals[kind, name] += int(count)
        for each in report["healed"]:
            sys.stdout.write(f"healed   {tell(each)}\n")
        for each in report["differs"]:
            sys.stdout.write(f"differs  {tell(each)}\n")
        differing += len(report["differs"])
    for line in show_totals(totals):
        sys.stdout.write(f"{line}\n")
    return differing


def show_totals(totals: Counter[tuple[str, str]]) -> Iterator[str]:
    """A table: one row for each kind of object."""
    names = ("seen", "fine", "healed", "quarantined")
    yield f"{'':18}" + "".join(f"{name:>12}" for name in names)
    for kind in dict.fromkeys(kind for kind, _ in totals):
        yield f"{kind:18}" + "".join(f"{totals[kind, name]:>12}" for name in names)


def main(arguments: Sequence[str], *, send: Send = send_http) -> int:
    """The range is reconciled. Returns: the exit code."""
    parser = argparse.ArgumentParser(prog="reconcile", description=str(__doc__).split("\n")[0])
    parser.add_argument("--url", required=True, help="the output ApiUrl")
    parser.add_argument("--from", required=True, dest="since", type=read_moment)
    parser.add_argument("--to", required=True, dest="until", type=read_moment)
    asked: Any = parser.parse_args(arguments)
    key = os.environ.get("TOLLKEEPER_KEY")
    if not key:
        parser.error("the environment needs TOLLKEEPER_KEY, a service key with the scope admin")
    try:
        differing = reconcile(
            Api(asked.url, key, send=send, wait=time.sleep), asked.since, asked.until
        )
    except ApiError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
