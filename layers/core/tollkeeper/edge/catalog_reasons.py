"""What is wrong with a catalog's tables, as a key and a sentence an operator can act on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from pydantic import ValidationError

from tollkeeper.edge.catalog_models import (
    RULES,
    AccountTable,
    CatalogTables,
    ModelTable,
    OverrideTable,
    PackTable,
    PlanPriceTable,
    PlanTable,
    PricesTable,
    SizesTable,
    Table,
    TierTable,
)

LONGEST_KEY_SHOWN = 200

Place = tuple[str | int, ...]


class Problem(NamedTuple):
    """One thing to change in the file. `place` is where its key stands, as far as it is there."""

    key: str
    reason: str
    place: Place = ()


_REASONS = {
    "missing": "is missing",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "string_type": "must be a text in quotes",
    "list_type": "must be a list in [ ]",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "literal_error": "must be {expected}",
    "greater_than_equal": "must not be less than {ge}",
    "less_than_equal": "must not be greater than {le}",
    "too_short": "needs at least {min_length}",
    "too_long": "has {actual_length} entries; at most {max_length} are allowed",
    "value_error": "{error}",
    "union_tag_invalid": "must be one of " + ", ".join(RULES),
    "union_tag_not_found": "is missing; it is one of " + ", ".join(RULES),
}
_NO_PRICE = "cannot stand here: a local operation runs on the user's own machine and costs nothing"
_MISPLACED = {
    **dict.fromkeys(
        [("local", key) for key in (*PlanPriceTable.model_fields, "usd_per_call")], _NO_PRICE
    ),
    ("per_1k_tokens", "credits"): "belongs into the models: each family has its own credits",
    ("per_unit", "models"): "cannot stand here: a price per unit is the same for every model",
    ("tokens", "models"): "cannot stand here: the price book knows the models; [[prices.overrides]]"
    " states rates of your own",
    ("tokens", "credits"): "cannot stand here: what the provider bills is the price; [prices] says"
    " what a credit is worth",
    ("resource", "credits"): "cannot stand here: write per_cpu_second, per_gb_second or per_second",
}
_PLAN_KEYS_FIXED = ("rule", "feature", "name")
_SECTIONS: dict[object, type[Table]] = {
    "account": AccountTable,
    "plans": PlanTable,
    "packs": PackTable,
    "prices": PricesTable,
}
_ENTRIES: dict[str, type[Table]] = {
    "models": ModelTable,
    "overrides": OverrideTable,
    "tiers": TierTable,
}
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def explain(error: ValidationError, document: Mapping[str, Any]) -> list[Problem]:
    """Every problem that the tables alone show, in the order of the file's sections.

    Why: unknown keys come first, since a key that is missing is most often one that is misspelt.
    """
    all_found = error.errors(include_url=False, include_input=False)
    all_found.sort(key=lambda found: found["type"] != "extra_forbidden")
    places = [(_place(each), _reason(each)) for each in all_found]
    return [problem_at(place, reason, document) for place, reason in places]


def explain_plan_price(
    error: ValidationError, plan: str, operation: str, document: Mapping[str, Any]
) -> list[Problem]:
    """Every problem of an operation as a plan changes it, at the plan's own keys."""
    problems: list[Problem] = []
    for found in error.errors(include_url=False, include_input=False):
        as_operation = {**found, "loc": ("operations", operation, *found["loc"])}
        place = ("plans", plan, "prices", operation, *_place(as_operation)[2:])
        problems.append(problem_at(place, _reason(as_operation), document))
    return problems


def problem_at(place: Place, reason: str, document: Mapping[str, Any]) -> Problem:
    """The problem of that key, as an operator finds it."""
    return Problem(show_key(place, document), reason, place)


def show_key(place: Sequence[str | int], document: Mapping[str, Any]) -> str:
    """The place as an operator finds it: `operations.ai_tokens.models[gpt-4].credits`.

    Shape: an entry of a list is shown by its `name`, or else by its number, the first being #1.
    """
    shown = ""
    here: object = document
    for part in place:
        here = _step(here, part)
        if isinstance(part, int):
            shown += f"[{_name_of(here) or f'#{part + 1}'}]"
            continue
        text = part if _BARE_KEY.fullmatch(part) else json.dumps(part[:80], ensure_ascii=False)
        shown += f".{text}" if shown else text
        if len(shown) > LONGEST_KEY_SHOWN:
            return f"{shown[:LONGEST_KEY_SHOWN]}..."
    return shown


def _step(here: object, part: str | int) -> object:
    if isinstance(here, Mapping):
        return cast("Mapping[object, object]", here).get(part)
    if isinstance(here, list) and isinstance(part, int):
        return cast("list[object]", here)[part]
    return None


def _name_of(here: object) -> str | None:
    name = cast("Mapping[str, object]", here).get("name") if isinstance(here, Mapping) else None
    return name[:40] if isinstance(name, str) and name.isprintable() else None


def _place(found: Mapping[str, Any]) -> Place:
    """Where it is in the file: without what pydantic adds for rules and for names of tables."""
    place: Place = found["loc"]
    if place[-1:] == ("[key]",):
        place = place[:-1]
    if place[:1] == ("operations",) and len(place) > 2 and place[2] in RULES:
        place = (*place[:2], *place[3:])
    return (*place, "rule") if found["type"].startswith("union_tag") else place


def _reason(found: Mapping[str, Any]) -> str:
    if found["type"] == "extra_forbidden":
        return _reason_of_unknown_key(found["loc"])
    form = _REASONS.get(found["type"])
    return form.format(**found.get("ctx", {})) if form else str(found["msg"])


def _reason_of_unknown_key(place: Place) -> str:
    if place[0] == "operations" and len(place) == 4:
        misplaced = _MISPLACED.get((str(place[2]), str(place[3])))
        if misplaced:
            return misplaced
    if place[0] == "plans" and place[2:3] == ("prices",) and place[-1] in _PLAN_KEYS_FIXED:
        return "cannot stand here: it is the same on every plan"
    return f"is not a known key; known here: {', '.join(_table_of(place[:-1]).model_fields)}"


def _table_of(parent: Sequence[str | int]) -> type[Table]:
    if not parent:
        return CatalogTables
    section, last = parent[0], parent[-1]
    if last == "estimate":
        return SizesTable
    if isinstance(last, int):
        return _ENTRIES[str(parent[-2])]
    if section == "plans" and len(parent) > 2:
        return PlanPriceTable
    return _SECTIONS[section] if section in _SECTIONS else RULES[str(parent[2])]
