"""Lists, newest first, in pages: as every list of the API is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from local.stripe.refusals import missing
from local.stripe.shapes import expanded
from local.stripe.state import Object, StripeState

FILTERS = ("customer", "payment_intent", "charge", "subscription", "status")


def read_list(state: StripeState, kind: str, *, url: str, params: Object, version: str) -> Object:
    """One page of the objects of a kind that the parameters ask for.

    Shape: `created` is {"gt" | "gte" | "lt" | "lte": seconds} or seconds; `starting_after` is the
    id of the last object of the page before.
    Raises: StripeRefusedError for a cursor that is no object.
    """
    page = list_page(state.all_of(kind).values(), kind, url=url, params=params)
    asked: list[str] = params.get("expand") or []
    paths = [path.removeprefix("data.") for path in asked if path.startswith("data.")]
    return page | {"data": [expanded(state, each, paths, version) for each in page["data"]]}


def list_page(found: Iterable[Object], kind: str, *, url: str, params: Object) -> Object:
    """One page of what was found, as it is. Raises: StripeRefusedError for a wrong cursor."""
    wanted = [each for each in reversed(list(found)) if _is_asked(each, params)]
    wanted.sort(key=lambda each: -int(each["created"]))
    after = params.get("starting_after")
    if after is not None:
        places = [n for n, each in enumerate(wanted) if each["id"] == after]
        if not places:
            raise missing(kind, str(after), param="starting_after")
        wanted = wanted[places[0] + 1 :]
    limit = int(params.get("limit") or 10)
    return {
        "object": "list",
        "data": wanted[:limit],
        "has_more": len(wanted) > limit,
        "url": url,
    }


def _is_asked(about: Object, params: Object) -> bool:
    asked = params.get("created")
    bounds = cast("Object", asked if isinstance(asked, dict) else {"gte": asked, "lte": asked})
    if asked is not None and not _is_within(int(about["created"]), bounds):
        return False
    if params.get("type") and about.get("type") != params["type"]:
        return False
    return all(about.get(name) == params[name] for name in FILTERS if params.get(name))


def _is_within(moment: int, bounds: Object) -> bool:
    tests = {
        "gt": moment.__gt__,
        "gte": moment.__ge__,
        "lt": moment.__lt__,
        "lte": moment.__le__,
    }
    return all(tests[name](int(bound)) for name, bound in bounds.items())
