"""The bodies and queries of requests about payments: refunds, cases and lists of purchases."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from tollkeeper.edge.bodies import StrictBody
from tollkeeper.edge.members import Account, Micro, Reason, read_rows


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


class PurchasesQuery(BaseModel):
    """GET /v1/accounts/{id}/purchases."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, BeforeValidator(read_rows), Field(le=5000)] | None = None
    cursor: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
