"""The bodies and queries of requests about payments: refunds, cases and lists of purchases."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from tollkeeper.edge.bodies import StrictBody, StrictQuery
from tollkeeper.edge.members import USUAL_ROWS, Account, Micro, Reason, Rows


class RefundPurchaseBody(StrictBody):
    """POST /v1/purchases/{purchase_id}/refund. The amount is money; without it all that is left."""

    amount: Micro | None = None
    reason: Reason


class ReleaseCaseBody(StrictBody):
    """POST /v1/quarantine/payments/{case}/release."""

    action: Literal["grant", "dismiss"]
    account: Account | None = None
    credits: Micro | None = None
    reason: Reason


class PurchasesQuery(StrictQuery):
    """GET /v1/accounts/{id}/purchases."""

    limit: Rows = USUAL_ROWS
    cursor: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
