"""What a table says of plans and prices, written as a catalog file."""

from __future__ import annotations

import re

PACK = '[packs.some]\nname = "Some"\ncredits = 100\nprice = "10.00"\ncurrency = "usd"\n'
POLICIES = ("charge_available", "debt", "reject")
LIMITS = {"daily": "daily_limit", "monthly": "monthly_limit", "run": "per_run_max"}


def write_catalog(header: list[str]) -> str:
    """The catalog of a table's `plan`, `price` and `low` lines; the first plan is the default."""
    plans = [line.split()[1:] for line in header if line.startswith("plan ")]
    prices = [line.split()[1:] for line in header if line.startswith("price ")]
    low = [line.split()[1] for line in header if line.startswith("low ")]
    account = f'default_plan = "{plans[0][0]}"\nzone = "UTC"\nlow_balance = "{[*low, 5][0]}"'
    parts = ["[account]", account, *[_plan(words) for words in plans]]
    return "\n".join([*parts, "[roles]", *[_price(words) for words in prices], PACK])


def _plan(words: list[str]) -> str:
    """`plan <id> <credits> [<policy>] [overdraft N] [rolls all] [daily N] [<feature><=N]`."""
    name, credits, rest = words[0], words[1], " ".join(words[2:])
    lines = [f"[plans.{name}]", f'allocation = "{credits}"']
    lines += [f'settle_above_hold = "{each}"' for each in POLICIES if each in words]
    lines += ['rollover = "all"'] if "rolls all" in rest else []
    for word, member in {"overdraft": "overdraft", **LIMITS}.items():
        found = re.search(rf"{word} ([\d.]+)", rest)
        lines += [f'{member} = "{found[1]}"'] if found else []
    features = re.findall(r"(\w+)<=(\d+)", rest)
    if features:
        lines += [f"[plans.{name}.features]", *[f"{one} = {most}" for one, most in features]]
    return "\n".join(lines)


def _price(words: list[str]) -> str:
    """`price <operation> <credits> [per <unit>]`."""
    lines = [f"[operations.{words[0]}]", f'credits = "{words[1]}"']
    if len(words) == 4:
        lines += ['rule = "per_unit"', f'unit = "{words[3]}"', "fractional = true"]
    else:
        lines += ['rule = "flat"']
    return "\n".join(lines)
