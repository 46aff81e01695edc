"""The bodies of requests about plans and payment pages."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from tollkeeper.domain.entitlements import LONGEST_FEATURE, MOST_CLAIMED
from tollkeeper.edge.bodies import StrictBody
from tollkeeper.edge.members import Account, Id, Reason

ReturnUrl = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=2048)]
Feature = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=LONGEST_FEATURE)]


class CheckoutBody(StrictBody):
    """POST /v1/checkout. It names a pack or a plan."""

    account: Account
    pack: Id | None = None
    plan: Id | None = None
    success_url: ReturnUrl
    cancel_url: ReturnUrl
    save_card: bool = False


class PortalBody(StrictBody):
    """POST /v1/portal."""

    account: Account
    return_url: ReturnUrl


class EntitlementsBody(StrictBody):
    """PUT /v1/accounts/{id}/entitlements."""

    features: Annotated[list[Feature], Field(max_length=MOST_CLAIMED)]
    reason: Reason | None = None
