"""What the model answers to a request for a new price of a charge that waits for one."""

from __future__ import annotations

from dataclasses import replace

from .amounts import credits
from .customers import Ask, Customer, Told
from .judging import tell
from .pricelist import RefusedError

NOT_PENDING = RefusedError(409, ("not_pending",))
STILL_UNKNOWN = RefusedError(409, ("still_unknown",))
RERATED = RefusedError(409, ("already_rerated",))
REFUNDED = RefusedError(409, ("already_refunded",))


def judge_rerate(customer: Customer, ask: Ask, at: int, key: str) -> Told:
    """The charge costs what its run costs at the prices of now, once."""
    row = customer.row(ask.entry)
    if row is None:
        raise RefusedError(404, ("not_found",))
    if row.kind not in ("charge", "settle") or row.run is None:
        raise NOT_PENDING
    priced = customer.runs[row.run]
    if not priced.is_pending:
        raise NOT_PENDING
    fresh = customer.prices.price_anew(priced)
    others = () if fresh is not None else (STILL_UNKNOWN,)
    if customer.state(at).runs[row.run].returned:
        by = {each.kind for each in customer.rows() if each.run == row.run}
        raise replace(RERATED if "rerate" in by else REFUNDED, others=others)
    if fresh is None:
        raise STILL_UNKNOWN
    after = customer.happen(
        at, "rerate", key=key, index=row.run, price=fresh.cost, uncollected=row.uncollected
    )
    customer.corrections[row.run] = (fresh.pico or 0) - (priced.pico or 0)
    last = after.rows[-1]
    shown = {
        "charge": row.key,
        "before": credits(row.moved + row.uncollected),
        "price": credits(fresh.cost),
        "returned": credits(max(0, last.delta)),
        "taken": credits(max(0, -last.delta)),
        "uncollected": credits(last.uncollected),
    }
    return tell(after, key, shown)
