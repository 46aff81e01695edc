"""What the document says about each route beyond its row in ROUTES."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

from tollkeeper.edge import bodies

RUN_CODES = (
    "unknown_operation",
    "unknown_model",
    "quote_expired",
    "not_found",
    "account_frozen",
    "account_closed",
)
SHORT_CODES = ("insufficient_credits", "limit_reached", "feature_limit")
HOLD_CODES = ("not_found", "hold_closed")
NEEDED = "needed"
OPTIONAL = "optional"
IN_PATH = "in the path"
FOR_PARTS = "for parts"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a route reads and answers.

    `answers` names the schemas of each good status; `codes` are the refusals that are the
    route's own, beside those that follow from its access, body, path and key. `key` says whether
    an Idempotency-Key is needed, or that the path is (but for parts). `has_balance`: answers carry
    X-Credits-Available.
    """

    operation: str
    tag: str
    summary: str
    answers: Mapping[int, tuple[str, ...]]
    codes: tuple[str, ...] = ()
    body: type[BaseModel] | None = None
    may_be_empty: bool = False
    query: type[BaseModel] | None = None
    key: str = ""
    has_balance: bool = False
    has_csv: bool = False
    notes: str = field(default="")


CHARGING, BUDGETS, READING = "Charging", "Budgets", "Reading"
OPERATORS, BUYING = "Operators", "Buying"


def _standing(operation: str, summary: str) -> Facts:
    return Facts(
        operation=operation,
        tag=OPERATORS,
        summary=summary,
        answers={200: ("StandingChanged",)},
        codes=("not_found",),
        body=bodies.StandingBody,
        key=NEEDED,
        has_balance=True,
    )


FACTS: dict[str, Facts] = {
    "POST /v1/check": Facts(
        operation="check",
        tag=CHARGING,
        summary="Can this account pay for this run now?",
        notes="Nothing is written.",
        answers={200: ("Allowed",)},
        codes=(*RUN_CODES, *SHORT_CODES),
        body=bodies.CheckBody,
    ),
    "POST /v1/estimate": Facts(
        operation="estimate",
        tag=CHARGING,
        summary="What a run may cost",
        notes="Nothing is written.",
        answers={200: ("Estimate",)},
        codes=("unknown_operation", "unknown_model"),
        body=bodies.CheckBody,
    ),
    "POST /v1/deduct": Facts(
        operation="deduct",
        tag=CHARGING,
        summary="Charge a run, once for its key",
        answers={200: ("Charged",)},
        codes=(*RUN_CODES, *SHORT_CODES),
        body=bodies.RunBody,
        key=NEEDED,
        has_balance=True,
    ),
    "POST /v1/accounts/{id}/entries/{key}/void": Facts(
        operation="voidCharge",
        tag=CHARGING,
        summary="Undo a charge, whole and once",
        answers={200: ("GivenBack",)},
        codes=("not_found", "already_refunded", "already_rerated"),
        body=bodies.VoidBody,
        may_be_empty=True,
        key=NEEDED,
        has_balance=True,
    ),
    "POST /v1/holds": Facts(
        operation="hold",
        tag=CHARGING,
        summary="Set credits aside before a call",
        notes="The hold's id is its key: `hold_id`, or the Idempotency-Key.",
        answers={201: ("Held",)},
        codes=(*RUN_CODES, *SHORT_CODES, "hold_limit"),
        body=bodies.HoldBody,
        key=OPTIONAL,
        has_balance=True,
    ),
    "POST /v1/holds/{hold_id}/settle": Facts(
        operation="settleHold",
        tag=CHARGING,
        summary="Charge what a held call used; the rest is back",
        notes="Without a key the hold is the key. With `final` false a key is needed.",
        answers={200: ("Settled",)},
        codes=(*HOLD_CODES, "settle_above_hold", "unknown_model"),
        body=bodies.SettleBody,
        key=FOR_PARTS,
        has_balance=True,
    ),
    "POST /v1/holds/{hold_id}/release": Facts(
        operation="releaseHold",
        tag=CHARGING,
        summary="Give a hold back whole: its call did not happen",
        answers={200: ("Released",)},
        codes=HOLD_CODES,
        body=bodies.ReleaseBody,
        key=IN_PATH,
        has_balance=True,
    ),
    "POST /v1/holds/{hold_id}/extend": Facts(
        operation="extendHold",
        tag=CHARGING,
        summary="Keep a hold open for longer",
        notes="At most ten times.",
        answers={200: ("Extended",)},
        codes=(*HOLD_CODES, "extend_limit", "account_frozen", "account_closed"),
        body=bodies.ExtendBody,
        key=NEEDED,
        has_balance=True,
    ),
    "POST /v1/accounts/{id}/budgets": Facts(
        operation="fundBudget",
        tag=BUDGETS,
        summary="Fund a budget, which opens with the credits where it is new",
        answers={201: ("Funded",)},
        codes=(
            "not_found",
            "account_frozen",
            "account_closed",
            "insufficient_credits",
            "grant_limit",
        ),
        body=bodies.BudgetBody,
        key=NEEDED,
        has_balance=True,
    ),
    "POST /v1/accounts/{id}/budgets/{budget}/close": Facts(
        operation="closeBudget",
        tag=BUDGETS,
        summary="Close a budget; what it did not use is back",
        answers={200: ("BudgetClosed",)},
        codes=("not_found", "account_closed", "holds_open"),
        body=bodies.VoidBody,
        may_be_empty=True,
        key=NEEDED,
        has_balance=True,
    ),
    "GET /v1/accounts/{id}": Facts(
        operation="readAccount",
        tag=READING,
        summary="Balance, grants, plan, windows and totals as they are now",
        answers={200: ("Account",)},
        codes=("not_found",),
        has_balance=True,
    ),
    "GET /v1/accounts/{id}/entries": Facts(
        operation="readHistory",
        tag=READING,
        summary="History, newest first, as JSON or CSV",
        notes="With `Accept: text/csv` the rows come as a file, and `Link` leads on.",
        answers={200: ("History",)},
        codes=("not_found",),
        query=bodies.HistoryQuery,
        has_csv=True,
    ),
    "GET /v1/accounts/{id}/entries/{key}": Facts(
        operation="readEntry",
        tag=READING,
        summary="One row with everything that explains it",
        answers={200: ("Entry",)},
        codes=("not_found",),
    ),
    "GET /v1/accounts/{id}/stats": Facts(
        operation="readStats",
        tag=READING,
        summary="What ran, in the account's own days",
        notes="At most 400 days.",
        answers={200: ("Stats",)},
        codes=("not_found",),
        query=bodies.StatsQuery,
    ),
    "POST /v1/accounts/{id}/grants": Facts(
        operation="giveGrant",
        tag=OPERATORS,
        summary="Give credits",
        answers={201: ("Granted",)},
        codes=("grant_limit",),
        body=bodies.GrantBody,
        key=NEEDED,
        has_balance=True,
    ),
    "POST /v1/accounts/{id}/adjustments": Facts(
        operation="adjust",
        tag=OPERATORS,
        summary="Correct a balance",
        answers={201: ("Adjusted",)},
        codes=("not_found", "insufficient_credits", "grant_limit"),
        body=bodies.AdjustmentBody,
        key=NEEDED,
        has_balance=True,
    ),
    "POST /v1/accounts/{id}/refunds": Facts(
        operation="refund",
        tag=OPERATORS,
        summary="Give back a charge's credits, whole or in part, once",
        answers={201: ("GivenBack",)},
        codes=("not_found", "already_refunded", "already_rerated"),
        body=bodies.RefundBody,
        key=NEEDED,
        has_balance=True,
    ),
    "POST /v1/accounts/{id}/entries/{key}/rerate": Facts(
        operation="rerateCharge",
        tag=OPERATORS,
        summary="Correct a quarantined charge to what its run costs by now, once",
        answers={200: ("Rerated",)},
        codes=(
            "not_found",
            "not_pending",
            "still_unknown",
            "already_refunded",
            "already_rerated",
            "unknown_operation",
        ),
        body=bodies.StandingBody,
        key=NEEDED,
        has_balance=True,
    ),
    "GET /v1/quarantine": Facts(
        operation="listQuarantine",
        tag=OPERATORS,
        summary="Charges that wait for their price",
        notes="A page may be short, even empty, and have a next one.",
        answers={200: ("Quarantine",)},
        query=bodies.QuarantineQuery,
    ),
    "PUT /v1/accounts/{id}/plan": Facts(
        operation="putPlan",
        tag=OPERATORS,
        summary="The account is on the plan",
        answers={200: ("PlanChanged", "Unchanged")},
        body=bodies.PlanBody,
        key=OPTIONAL,
        has_balance=True,
    ),
    "PUT /v1/accounts/{id}/profile": Facts(
        operation="putProfile",
        tag=OPERATORS,
        summary="The account has this zone and name",
        answers={200: ("ProfileChanged", "Unchanged")},
        body=bodies.ProfileBody,
        key=OPTIONAL,
        has_balance=True,
    ),
    "PUT /v1/accounts/{id}/limits": Facts(
        operation="putLimits",
        tag=OPERATORS,
        summary="The account has these spend limits and alerts",
        answers={200: ("LimitsChanged", "LimitsUnchanged")},
        body=bodies.LimitsBody,
        key=OPTIONAL,
        has_balance=True,
    ),
    "POST /v1/accounts/{id}/freeze": _standing("freeze", "The account cannot spend"),
    "POST /v1/accounts/{id}/unfreeze": _standing("unfreeze", "The account can spend again"),
    "POST /v1/accounts/{id}/close": _standing("close", "The account is closed for good"),
    "POST /v1/keys": Facts(
        operation="issueKey",
        tag=OPERATORS,
        summary="Issue a service key",
        answers={201: ("KeyIssued",)},
        body=bodies.KeyBody,
        key=NEEDED,
    ),
    "GET /v1/keys": Facts(
        operation="listKeys", tag=OPERATORS, summary="All service keys", answers={200: ("Keys",)}
    ),
    "DELETE /v1/keys/{key_id}": Facts(
        operation="revokeKey",
        tag=OPERATORS,
        summary="Revoke a service key",
        answers={200: ("ServiceKey",)},
        codes=("not_found",),
    ),
    "GET /v1/verify/{id}": Facts(
        operation="verify",
        tag=OPERATORS,
        summary="Does the ledger explain every credit of the account?",
        notes="Nothing is written.",
        answers={200: ("Verified",)},
        codes=("not_found",),
        has_balance=True,
    ),
    "GET /v1/packs": Facts(
        operation="listPacks",
        tag=BUYING,
        summary="Packs with their price per credit",
        notes="Open to everybody where the catalog says `public = true`.",
        answers={200: ("Packs",)},
    ),
    "GET /v1/catalog": Facts(
        operation="readCatalog",
        tag=BUYING,
        summary="The cost table: operations and plans",
        notes="Open to everybody where the catalog says `public = true`.",
        answers={200: ("Catalog",)},
    ),
    "POST /v1/checkout": Facts(
        operation="openCheckout",
        tag=BUYING,
        summary="Record a purchase and open its payment page",
        answers={201: ("CheckoutOpened",)},
        codes=("not_found", "account_closed", "payments_unavailable"),
        body=bodies.CheckoutBody,
        key=NEEDED,
    ),
    "GET /v1/purchases/{purchase_id}": Facts(
        operation="readPurchase",
        tag=BUYING,
        summary="Where a purchase stands",
        answers={200: ("Purchase",)},
        codes=("not_found",),
    ),
    "POST /v1/webhooks/stripe": Facts(
        operation="receiveStripeEvent",
        tag=BUYING,
        summary="For Stripe alone",
        notes="No key: the signature over the raw body is checked instead.",
        answers={200: ("Received",)},
        codes=("malformed", "payments_unavailable"),
    ),
}
