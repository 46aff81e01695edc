/** The members of requests and answers, written by `make docs` from the API; edit nothing here. */

export interface Account {
  account: string;
  status: "active" | "frozen" | "closed";
  /** What is there after this; below 0 where a plan allows overdraft */
  available: Amount;
  spendable: Amount;
  held: Amount;
  /** What is owed: overdraft, and credits whose money went back when spent */
  debt: Amount;
  /** Of the debt, what is owed for money that went back; it is paid first */
  clawback_debt: Amount;
  plan: AccountPlan;
  /** The IANA zone in which its days and periods begin */
  zone: string;
  next_zone: string | null;
  name: string | null;
  /** The account that funds it, where it is a budget */
  parent: string | null;
  grants: Grant[];
  holds: OpenHold[];
  windows: Window[];
  limits: AccountLimits;
  features: FeatureUse[];
  allowances: AllowanceUse[];
  totals: AccountTotals;
  seq: number;
  updated_at: string;
  warnings: Warning[];
}

export interface AccountClosedProblem {
  type: "/problems/account_closed";
  title: "The account is closed";
  status: 403;
  /** A sentence for people */
  detail: string;
  code: "account_closed";
  request_id: string;
}

export interface AccountFrozenProblem {
  type: "/problems/account_frozen";
  title: "The account is frozen";
  status: 403;
  /** A sentence for people */
  detail: string;
  code: "account_frozen";
  request_id: string;
}

export interface AccountLimits {
  daily: Amount | null;
  monthly: Amount | null;
  per_run_max: Amount | null;
  operator: Limits;
  user: Limits;
  /** Percentages */
  alert_thresholds: number[];
  low_balance: Amount;
}

export interface AccountPlan {
  id: string;
  name: string;
  driven_by: "calendar" | "stripe";
  /** Stripe's id of the subscription that drives the plan */
  subscription: string | null;
  period_start: string;
  /** Of a subscription, until when it is paid */
  period_end: string;
  allocation: Amount;
  used: Amount;
  next_plan: string | null;
}

export interface AccountTotals {
  granted: Amount;
  purchased: Amount;
  spent: Amount;
  expired: Amount;
  refunded: Amount;
  /** Between this account and its budgets, or its parent */
  transferred_in: Amount;
  transferred_out: Amount;
  /** Used above holds or before a refund, and not there to take */
  uncollected: Amount;
  /** Gone with money that went back, less what came back */
  clawed_back: Amount;
}

export interface Adjusted {
  /** The key of the ledger row: your Idempotency-Key, or one of the system's with `~` */
  key: string;
  adjusted: Amount;
  /** What is there after this; below 0 where a plan allows overdraft */
  available: Amount;
  /** Set aside for calls under way */
  held: Amount;
  /** What is owed: overdraft, and credits whose money went back when spent */
  debt: Amount;
  /** The row's place in the account's ledger, from 1 without gaps */
  seq: number;
}

/** POST /v1/accounts/{id}/adjustments. Negative takes away. */
export interface AdjustmentBody {
  /** Credits: a number, or a text of digits, with at most six decimals */
  amount: number | string;
  /** Why; the ledger keeps it */
  reason: string;
}

export interface Affordable {
  /** How many tokens of this model the account can pay */
  tokens_total?: number;
  /** How many of them the answer may have, after this input */
  tokens_output?: number;
  /** Which models it can pay this run with */
  models?: string[];
}

export interface AllowanceUse {
  feature: string;
  /** Of the period so far; tiers count above what is free */
  used: Amount;
  free: Amount;
  /** What is counted: a call, a token or the operation's own unit */
  unit: string;
}

export interface Allowed {
  /** A run that cannot be paid for is answered with 402 */
  allowed: true;
  required: Amount;
  available: Amount;
  /** What a charge may take: available and what overdraft is left */
  spendable: Amount;
  /** What the provider billed, where that is known */
  cost_usd: string | null;
  /** Digest of the catalog that priced the run */
  price_version: string;
  warnings: Warning[];
}

export interface AlreadyRefundedProblem {
  type: "/problems/already_refunded";
  title: "Given back before";
  status: 409;
  /** A sentence for people */
  detail: string;
  code: "already_refunded";
  request_id: string;
}

export interface AlreadyReratedProblem {
  type: "/problems/already_rerated";
  title: "Priced anew before";
  status: 409;
  /** A sentence for people */
  detail: string;
  code: "already_rerated";
  request_id: string;
}

export interface AlreadyResolvedProblem {
  type: "/problems/already_resolved";
  title: "Resolved before";
  status: 409;
  /** A sentence for people */
  detail: string;
  code: "already_resolved";
  request_id: string;
}

/** Credits, exact to six decimals: read it as a decimal, not as a float. */
export type Amount = number;

export interface BreakdownLine {
  item: string;
  quantity: number;
  /** Credits per unit; `60/1000` is 60 for 1,000 */
  rate: string;
  credits: Amount;
}

/** POST /v1/accounts/{id}/budgets. */
export interface BudgetBody {
  /** The id of an account of its own that this one funds */
  budget: string;
  /** Credits: a number, or a text of digits, with at most six decimals */
  amount: number | string;
  /** What may be spent in a day of the account's zone; null: no limit */
  daily?: number | string | null;
  /** What may be spent in a month of the account's zone; null: no limit */
  monthly?: number | string | null;
  /** What one run may cost; null: no limit */
  per_run_max?: number | string | null;
  /** Why; the ledger keeps it */
  reason?: string | null;
}

export interface BudgetClosed {
  /** The key of the ledger row: your Idempotency-Key, or one of the system's with `~` */
  key: string;
  budget: string;
  returned: Amount;
  /** Of it, what had no grant left to go back to */
  expired: Amount;
  /** What is there after this; below 0 where a plan allows overdraft */
  available: Amount;
  /** Set aside for calls under way */
  held: Amount;
  /** What is owed: overdraft, and credits whose money went back when spent */
  debt: Amount;
  /** The row's place in the account's ledger, from 1 without gaps */
  seq: number;
}

export interface BusyProblem {
  type: "/problems/busy";
  title: "Busy";
  status: 503;
  /** A sentence for people */
  detail: string;
  code: "busy";
  request_id: string;
}

export interface Case {
  case: string;
  at: string;
  reason: string;
  account: string | null;
  purchase_id: string | null;
  /** Stripe's id of the money */
  payment: string | null;
  /** In the currency's main unit, with all its decimals */
  amount: string | null;
  currency: string | null;
  /** Stripe's event that told of it */
  event: string | null;
  type: string | null;
  resolution: "granted" | "dismissed" | null;
  resolved_at: string | null;
  /** The purchase whose credits came in by it */
  granted: string | null;
  note: string | null;
}

export interface Cases {
  cases: Case[];
  /** Send it as `cursor` for the next page; null at the end */
  next_cursor: string | null;
}

export interface Catalog {
  price_version: string;
  operations: OperationPrice[];
  plans: Plan[];
  low_balance: Amount;
}

export interface CatalogProblem {
  type: "/problems/catalog";
  title: "The catalog is wrong";
  status: 500;
  /** A sentence for people */
  detail: string;
  code: "catalog";
  request_id: string;
}

export interface ChangedLimits {
  daily?: Amount | null;
  monthly?: Amount | null;
  per_run_max?: Amount | null;
  /** Percentages */
  alert_thresholds?: number[] | null;
  low_balance?: Amount | null;
}

export interface Charged {
  /** The key of the ledger row: your Idempotency-Key, or one of the system's with `~` */
  key: string;
  charged: Amount;
  /** What is there after this; below 0 where a plan allows overdraft */
  available: Amount;
  /** Set aside for calls under way */
  held: Amount;
  /** What is owed: overdraft, and credits whose money went back when spent */
  debt: Amount;
  /** The row's place in the account's ledger, from 1 without gaps */
  seq: number;
  /** What the provider billed, where that is known */
  cost_usd: string | null;
  breakdown: BreakdownLine[];
  /** Digest of the catalog that priced the run */
  price_version: string;
  warnings: Warning[];
}

/** POST /v1/check and /v1/estimate: a run as it may become. `estimate` names its price. */
export interface CheckBody {
  /** Who pays: your own user's or organisation's id */
  account: string;
  /** What ran: an id of the catalog */
  operation: string;
  /** How many units: minutes, messages, documents; absent: 1 */
  quantity?: number | string | null;
  /** Tokens by pool, or the provider's usage object, or its whole answer */
  usage?: Record<string, unknown> | null;
  /** The model's name; absent: the one that the provider's answer names */
  model?: string | null;
  /** A label for stats, at most 64 bytes */
  feature?: string | null;
  /** The provider, at most 64 bytes */
  service?: string | null;
  /** A label for stats, at most 64 bytes */
  subtype?: string | null;
  /** An id of the catalog */
  plan?: string | null;
  /** The plan by a role of the catalog, instead of `plan` */
  role?: string | null;
  /** What one run may cost; null: no limit */
  per_run_max?: number | string | null;
  /** As an estimate gave it: its prices hold until it expires */
  quote_id?: string | null;
  /** Whose rates apply: `openai`, `anthropic`, …; absent: what model and usage say */
  provider?: string | null;
  /** How the provider ran it; absent: what the usage says */
  service_tier?: "standard" | "default" | "auto" | "batch" | "flex" | "priority" | "fast" | null;
  /** What the run took of a machine, where its operation is priced by that */
  resource?: {
    /** Milliseconds of processors */
    cpu_ms?: number | null;
    /** Megabytes of 10^6 bytes, for `duration_ms` */
    mem_mb?: number | null;
    /** How long it ran, in milliseconds */
    duration_ms?: number | null;
  } | null;
  /** Anything of yours that the ledger keeps, at most 4 KB */
  metadata?: Record<string, unknown> | null;
  /** How long it took; may differ between two tries with one key */
  response_time_ms?: number | null;
  /** When the run was */
  occurred_at?: string | null;
  /** false records that the run failed, and charges nothing */
  success?: boolean;
  /** What you expect it to cost, in credits; instead of usage or quantity */
  estimate?: number | string | null;
}

/** POST /v1/checkout. It names a pack or a plan. */
export interface CheckoutBody {
  /** Who pays: your own user's or organisation's id */
  account: string;
  /** An id of the catalog; or `plan`, and not both */
  pack?: string | null;
  /** An id of the catalog, of a plan with a price; or `pack`, and not both */
  plan?: string | null;
  /** Where the customer goes who paid; on an allowed origin */
  success_url: string;
  /** Where the customer goes who does not pay; on an allowed origin */
  cancel_url: string;
  /** true: the card may be charged later without the customer, as a top-up does */
  save_card?: boolean;
}

export interface CheckoutOpened {
  purchase_id: string;
  checkout_url: string;
  account: string;
  kind: "pack" | "plan" | "invoice" | "top_up";
  /** null where a plan is bought */
  pack: string | null;
  /** null where a pack is bought */
  plan: string | null;
  /** A plan's come with each paid invoice, so of its checkout it is 0 */
  credits: Amount;
  /** In the currency's main unit, with all its decimals */
  price: string;
  currency: string;
}

/** POST /v1/codes. */
export interface CodeBody {
  /** 3 to 40 letters, digits and `-`; case does not matter */
  code: string;
  /** What it gives */
  credits: number | string;
  /** Why; the ledger keeps it */
  reason: string;
  /** How many accounts may redeem it; absent: no bound */
  most_redemptions?: number | null;
  /** Until when it counts; absent: for ever */
  expires_at?: string | null;
  /** For how many days its credits count; absent: for ever */
  grant_days?: number | null;
  /** For accounts on these plans alone; absent: on any */
  plans?: string[];
}

export interface CodeExhaustedProblem {
  type: "/problems/code_exhausted";
  title: "The code is used up";
  status: 409;
  /** A sentence for people */
  detail: string;
  code: "code_exhausted";
  request_id: string;
}

export interface CodeExistsProblem {
  type: "/problems/code_exists";
  title: "There is such a code";
  status: 409;
  /** A sentence for people */
  detail: string;
  code: "code_exists";
  request_id: string;
}

export interface CodeExpiredProblem {
  type: "/problems/code_expired";
  title: "The code has ended";
  status: 409;
  /** A sentence for people */
  detail: string;
  code: "code_expired";
  request_id: string;
}

export interface CodeNotForPlanProblem {
  type: "/problems/code_not_for_plan";
  title: "The code is for other plans";
  status: 409;
  /** A sentence for people */
  detail: string;
  code: "code_not_for_plan";
  request_id: string;
}

export interface CodeUsedProblem {
  type: "/problems/code_used";
  title: "The code was redeemed before";
  status: 409;
  /** A sentence for people */
  detail: string;
  code: "code_used";
  request_id: string;
}

export interface Computation {
  /** Null where it cannot be computed again: `why` says so */
  agrees: boolean | null;
  why: string | null;
  /** What the row says, collected or not */
  price: Amount;
  /** What its inputs come to under its price version */
  computed: Amount | null;
  price_version: string;
  /** The moment whose dated rates applied */
  priced_at: string | null;
  steps: ComputationStep[];
}

export interface ComputationStep {
  step: "usage" | "named" | "rate" | "markup" | "cost" | "plan" | "allowance" | "tiers" | "rounding" | "minimum" | "failed" | "rerate" | "collected" | "grants";
  /** A sentence for people */
  text: string;
  /** Exact: decimals, or `n/d` where those have no end */
  numbers: Record<string, string>;
}

export interface CustomerRow {
  account: string;
  /** On how many of the days it is named */
  days: number;
  /** Its part of all credits */
  percent: Amount;
  /** Runs that were charged, less those undone; below 0 where more were */
  calls: number;
  failed: number;
  /** Net of what was given back */
  credits: Amount;
  refunded: Amount;
  /** Tokens by pool; pools without any are left out */
  tokens: {
    input?: number;
    cached_input?: number;
    cache_write_5m?: number;
    cache_write_1h?: number;
    output?: number;
    reasoning?: number;
    audio_input?: number;
    audio_output?: number;
    cached_audio_input?: number;
    image_input?: number;
    cached_image_input?: number;
    image_output?: number;
    video_input?: number;
    video_output?: number;
  };
  tokens_total: number;
  /** The sum of the costs that are known */
  cost_usd: string;
  average_credits: Amount;
}

export interface CustomersReport {
  from: string;
  to: string;
  /** The first day that the reports have */
  since: string | null;
  /** The last day that is complete; later ones may still grow */
  through: string | null;
  rows: CustomerRow[];
  /** What all other accounts used */
  others: StatsTotal;
  totals: StatsTotal;
  /** What an account can have spent on days on which 200 others spent more; 0: nothing */
  unseen_at_most: Amount;
}

export interface Dispute {
  /** Stripe's id of it */
  id: string;
  /** In the currency's main unit, with all its decimals */
  amount: string;
  state: "withdrawn" | "won";
}

export interface Draw {
  grant: string;
  kind: "plan" | "pack" | "promo" | "adjustment" | "transfer";
  amount: Amount;
}

export interface Entitled {
  /** The key of the ledger row: your Idempotency-Key, or one of the system's with `~` */
  key: string;
  kind: "plan_change";
  from: string;
  to: string;
  at: "now" | "period_end" | "opening";
  plan: string;
  /** A sentence: what the plan follows from */
  why: string;
  /** What is there after this; below 0 where a plan allows overdraft */
  available: Amount;
  /** Set aside for calls under way */
  held: Amount;
  /** What is owed: overdraft, and credits whose money went back when spent */
  debt: Amount;
  /** The row's place in the account's ledger, from 1 without gaps */
  seq: number;
}

export interface EntitledBefore {
  /** The account was as asked for already */
  changed: false;
  plan: string;
  /** A sentence: what the plan follows from */
  why: string;
  available: Amount;
  seq: number;
}

/** PUT /v1/accounts/{id}/entitlements. */
export interface EntitlementsBody {
  /** The features that your auth provider says the user has */
  features: string[];
  /** Why; the ledger keeps it */
  reason?: string | null;
}

export interface Entry {
  /** The row's place in the account's ledger, from 1 without gaps */
  seq: number;
  /** The key of the ledger row: your Idempotency-Key, or one of the system's with `~` */
  key: string;
  kind: "grant" | "charge" | "void" | "refund" | "expire" | "reset" | "plan_change" | "adjustment" | "run_failed" | "profile" | "freeze" | "unfreeze" | "close" | "hold" | "settle" | "release" | "hold_expired" | "hold_extended" | "limits" | "top_up" | "transfer_out" | "transfer_in" | "rerate" | "clawback" | "reinstate";
  /** What `available` changed by */
  delta: Amount;
  available_after: Amount;
  at: string;
  operation: string | null;
  model: string | null;
  feature: string | null;
  charged: Amount | null;
  /** What the row is about, which a delta of 0 can hide */
  amount: Amount;
  held: Amount;
  /** What open holds changed by */
  held_change: Amount;
  debt: Amount;
  debt_change: Amount;
  /** Of it, what is owed for money that went back */
  clawback_debt_change: Amount;
  grant: Grant | null;
  grants_moved: Draw[];
  /** What went back of a hold or a budget */
  grants_returned: Draw[];
  /** What had no grant left to go back to */
  expired: Amount;
  /** Used above a hold, and not there to charge */
  uncollected: Amount;
  hold_id: string | null;
  /** The thresholds that this row crossed */
  alerts: string[];
  /** The key of the ledger row: your Idempotency-Key, or one of the system's with `~` */
  refers_to: string | null;
  /** The key of the ledger row: your Idempotency-Key, or one of the system's with `~` */
  returned_by: string | null;
  /** The row that corrected a quarantined charge */
  rerated_by: string | null;
  reason: string | null;
  actor: string | null;
  details: Record<string, string>;
  /** As it was sent */
  metadata: Record<string, unknown> | null;
  warnings: Warning[];
  /** What the provider billed, where that is known */
  cost_usd?: string | null;
  breakdown?: BreakdownLine[];
  /** Digest of the catalog that priced the run */
  price_version?: string;
  service?: string | null;
  subtype?: string | null;
  quantity?: Amount | null;
  /** Tokens by pool; pools without any are left out */
  tokens?: {
    input?: number;
    cached_input?: number;
    cache_write_5m?: number;
    cache_write_1h?: number;
    output?: number;
    reasoning?: number;
    audio_input?: number;
    audio_output?: number;
    cached_audio_input?: number;
    image_input?: number;
    cached_image_input?: number;
    image_output?: number;
    video_input?: number;
    video_output?: number;
  } | null;
  response_time_ms?: number | null;
  occurred_at?: string | null;
  /** Whose rates priced it */
  provider?: string | null;
  /** `batch`, `flex`, `priority` or `fast` */
  service_tier?: string | null;
  /** The plan whose prices applied, where prices depend on it */
  plan?: string | null;
  /** The model whose rates stood in for unknown ones */
  stands_for?: string | null;
  /** Why the price was not final */
  pending?: "unknown_model" | null;
  /** Null where the row has no price */
  computation?: Computation | null;
}

export interface Estimate {
  min: Amount;
  typical: Amount;
  max: Amount;
  /** Send it with the call and these prices hold; null where none are signed */
  quote_id: string | null;
  /** What the provider billed, where that is known */
  cost_usd: string | null;
  /** Digest of the catalog that priced the run */
  price_version: string;
  explanation: string;
  breakdown: BreakdownLine[];
  warnings: Warning[];
}

/** POST /v1/holds/{id}/extend: open until so long from now. */
export interface ExtendBody {
  /** Who pays: your own user's or organisation's id */
  account: string;
  /** How long the hold stays open: 1 second to 24 hours */
  expires_in_s: number;
}

export interface ExtendLimitProblem {
  type: "/problems/extend_limit";
  title: "Extended too often";
  status: 409;
  /** A sentence for people */
  detail: string;
  code: "extend_limit";
  request_id: string;
}

export interface Extended {
  /** The key of the ledger row: your Idempotency-Key, or one of the system's with `~` */
  key: string;
  /** The hold's own id */
  hold_id: string;
  expires_at: string;
  /** What is there after this; below 0 where a plan allows overdraft */
  available: Amount;
  /** Set aside for calls under way */
  held: Amount;
  /** What is owed: overdraft, and credits whose money went back when spent */
  debt: Amount;
  /** The row's place in the account's ledger, from 1 without gaps */
  seq: number;
}

export interface FeatureLimit {
  feature: string;
  limit: number;
}

export interface FeatureLimitProblem {
  type: "/problems/feature_limit";
  title: "The plan's limit is reached";
  status: 402;
  /** A sentence for people */
  detail: string;
  code: "feature_limit";
  request_id: string;
  required: Amount;
  available: Amount;
  spendable: Amount;
  /** Set aside by open holds */
  held: Amount;
  /** Whose credits or limit it is */
  level: "account" | "budget" | "parent";
  /** How much is missing, with debt that is paid first */
  shortfall: Amount;
  blocking: "balance" | "debt" | "feature_limit" | "daily_limit" | "monthly_limit" | "per_run_max" | "parent";
  /** When the plan gives credits, or the limit counts, again */
  resets_at: string | null;
  /** The cheapest pack that would cover it, else the largest */
  offers: Offer[];
  /** The smallest plan that would */
  plans: PlanOffer[];
  affordable: Affordable;
  feature: string;
  used: number;
  limit: number;
}

export interface FeatureUse {
  feature: string;
  used: number;
  limit: number;
}

export interface Finding {
  invariant: string;
  where: string;
  /** A sentence for people */
  what: string;
}

export interface ForbiddenProblem {
  type: "/problems/forbidden";
  title: "Not allowed";
  status: 403;
  /** A sentence for people */
  detail: string;
  code: "forbidden";
  request_id: string;
}

export interface FoundAccount {
  account: string;
  name: string | null;
  status: "active" | "frozen" | "closed";
  plan: string;
  available: Amount;
  held: Amount;
  debt: Amount;
  /** In its whole life */
  spent: Amount;
  /** The account that funds it, where it is a budget */
  parent: string | null;
  seq: number;
}

export interface FoundAccounts {
  accounts: FoundAccount[];
  /** Send it as `cursor` for the next page; null at the end */
  next_cursor: string | null;
}

export interface Funded {
  /** The key of the ledger row: your Idempotency-Key, or one of the system's with `~` */
  key: string;
  budget: string;
  transferred: Amount;
  /** What the budget has after this */
  budget_available: Amount;
  /** What is there after this; below 0 where a plan allows overdraft */
  available: Amount;
  /** Set aside for calls under way */
  held: Amount;
  /** What is owed: overdraft, and credits whose money went back when spent */
  debt: Amount;
  /** The row's place in the account's ledger, from 1 without gaps */
  seq: number;
}

/** What API Gateway itself answers. */
export interface GatewayMessage {
  message: string;
}

export interface GivenBack {
  /** The key of the ledger row: your Idempotency-Key, or one of the system's with `~` */
  key: string;
  /** The charge's key */
  charge: string | null;
  refunded: Amount;
  /** What is there after this; below 0 where a plan allows overdraft */
  available: Amount;
  /** Set aside for calls under way */
  held: Amount;
  /** What is owed: overdraft, and credits whose money went back when spent */
  debt: Amount;
  /** The row's place in the account's ledger, from 1 without gaps */
  seq: number;
}

export interface Grant {
  id: string;
  kind: "plan" | "pack" | "promo" | "adjustment" | "transfer";
  amount: Amount;
  remaining: Amount;
  /** Lower is drawn from first */
  priority: number;
  effective_at: string;
  expires_at: string | null;
}

/** POST /v1/accounts/{id}/grants. */
export interface GrantBody {
  /** Credits: a number, or a text of digits, with at most six decimals */
  amount: number | string;
  /** Why; the ledger keeps it */
  reason: string;
  /** What the credits are; `pack` was paid for elsewhere */
  kind?: "promo" | "adjustment" | "pack";
  /** From when the credits count; absent: now */
  effective_at?: string | null;
  /** Until when it counts; absent: for ever */
  expires_at?: string | null;
  /** Lower is drawn from first */
  priority?: number | null;
}

export interface GrantLimitProblem {
  type: "/problems/grant_limit";
  title: "Too many grants";
  status: 409;
  /** A sentence for people */
  detail: string;
  code: "grant_limit";
  request_id: string;
}

export interface Granted {
  /** The key of the ledger row: your Idempotency-Key, or one of the system's with `~` */
  key: string;
  grant_id: string;
  granted: Amount;
  /** What is there after this; below 0 where a plan allows overdraft */
  available: Amount;
  /** Set aside for calls under way */
  held: Amount;
  /** What is owed: overdraft, and credits whose money went back when spent */
  debt: Amount;
  /** The row's place in the account's ledger, from 1 without gaps */
  seq: number;
}

export interface Held {
  /** The key of the ledger row: your Idempotency-Key, or one of the system's with `~` */
  key: string;
  /** The hold's own id */
  hold_id: string;
  /** What this hold set aside */
  required: Amount;
  expires_at: string;
  /** What is there after this; below 0 where a plan allows overdraft */
  available: Amount;
  /** What this hold set aside */
  held: Amount;
  /** What is owed: overdraft, and credits whose money went back when spent */
  debt: Amount;
  /** The row's place in the account's ledger, from 1 without gaps */
  seq: number;
  /** What the provider billed, where that is known */
  cost_usd: string | null;
  breakdown: BreakdownLine[];
  /** Digest of the catalog that priced the run */
  price_version: string;
  warnings: Warning[];
}

export interface History {
  entries: HistoryRow[];
  /** The `cursor` of the next page; null on the last one */
  next_cursor: string | null;
}

export interface HistoryRow {
  /** The row's place in the account's ledger, from 1 without gaps */
  seq: number;
  /** The key of the ledger row: your Idempotency-Key, or one of the system's with `~` */
  key: string;
  kind: "grant" | "charge" | "void" | "refund" | "expire" | "reset" | "plan_change" | "adjustment" | "run_failed" | "profile" | "freeze" | "unfreeze" | "close" | "hold" | "settle" | "release" | "hold_expired" | "hold_extended" | "limits" | "top_up" | "transfer_out" | "transfer_in" | "rerate" | "clawback" | "reinstate";
  /** What `available` changed by */
  delta: Amount;
  available_after: Amount;
  at: string;
  operation: string | null;
  model: string | null;
  feature: string | null;
  charged: Amount | null;
}

/** POST /v1/holds. */
export interface HoldBody {
  /** Who pays: your own user's or organisation's id */
  account: string;
  /** What ran: an id of the catalog */
  operation: string;
  /** How many units: minutes, messages, documents; absent: 1 */
  quantity?: number | string | null;
  /** Tokens by pool, or the provider's usage object, or its whole answer */
  usage?: Record<string, unknown> | null;
  /** The model's name; absent: the one that the provider's answer names */
  model?: string | null;
  /** A label for stats, at most 64 bytes */
  feature?: string | null;
  /** The provider, at most 64 bytes */
  service?: string | null;
  /** A label for stats, at most 64 bytes */
  subtype?: string | null;
  /** An id of the catalog */
  plan?: string | null;
  /** The plan by a role of the catalog, instead of `plan` */
  role?: string | null;
  /** What one run may cost; null: no limit */
  per_run_max?: number | string | null;
  /** As an estimate gave it: its prices hold until it expires */
  quote_id?: string | null;
  /** Whose rates apply: `openai`, `anthropic`, …; absent: what model and usage say */
  provider?: string | null;
  /** How the provider ran it; absent: what the usage says */
  service_tier?: "standard" | "default" | "auto" | "batch" | "flex" | "priority" | "fast" | null;
  /** What the run took of a machine, where its operation is priced by that */
  resource?: {
    /** Milliseconds of processors */
    cpu_ms?: number | null;
    /** Megabytes of 10^6 bytes, for `duration_ms` */
    mem_mb?: number | null;
    /** How long it ran, in milliseconds */
    duration_ms?: number | null;
  } | null;
  /** Anything of yours that the ledger keeps, at most 4 KB */
  metadata?: Record<string, unknown> | null;
  /** What you expect it to cost, in credits; instead of usage or quantity */
  estimate?: number | string | null;
  /** Your own id for the hold, which is its key; absent: the Idempotency-Key */
  hold_id?: string | null;
  /** How long the hold stays open: 1 second to 24 hours */
  expires_in_s?: number;
}

export interface HoldClosedProblem {
  type: "/problems/hold_closed";
  title: "The hold is closed";
  status: 409;
  /** A sentence for people */
  detail: string;
  code: "hold_closed";
  request_id: string;
  hold_id: string;
  state: "settled" | "released" | "expired";
}

export interface HoldLimitProblem {
  type: "/problems/hold_limit";
  title: "Too many open holds";
  status: 429;
  /** A sentence for people */
  detail: string;
  code: "hold_limit";
  request_id: string;
}

export interface HoldsOpenProblem {
  type: "/problems/holds_open";
  title: "Holds are open";
  status: 409;
  /** A sentence for people */
  detail: string;
  code: "holds_open";
  request_id: string;
}

export interface IdempotencyMismatchProblem {
  type: "/problems/idempotency_mismatch";
  title: "The key was used for another request";
  status: 422;
  /** A sentence for people */
  detail: string;
  code: "idempotency_mismatch";
  request_id: string;
}

export interface InsufficientCreditsProblem {
  type: "/problems/insufficient_credits";
  title: "Not enough credits";
  status: 402;
  /** A sentence for people */
  detail: string;
  code: "insufficient_credits";
  request_id: string;
  required: Amount;
  available: Amount;
  spendable: Amount;
  /** Set aside by open holds */
  held: Amount;
  /** Whose credits or limit it is */
  level: "account" | "budget" | "parent";
  /** How much is missing, with debt that is paid first */
  shortfall: Amount;
  blocking: "balance" | "debt" | "feature_limit" | "daily_limit" | "monthly_limit" | "per_run_max" | "parent";
  /** When the plan gives credits, or the limit counts, again */
  resets_at: string | null;
  /** The cheapest pack that would cover it, else the largest */
  offers: Offer[];
  /** The smallest plan that would */
  plans: PlanOffer[];
  affordable: Affordable;
}

export interface InternalProblem {
  type: "/problems/internal";
  title: "Our mistake";
  status: 500;
  /** A sentence for people */
  detail: string;
  code: "internal";
  request_id: string;
}

export interface InvalidProblem {
  type: "/problems/invalid";
  title: "A member cannot be used";
  status: 422;
  /** A sentence for people */
  detail: string;
  code: "invalid";
  request_id: string;
  errors: MemberProblem[];
}

/** POST /v1/keys. */
export interface KeyBody {
  /** For people */
  name: string;
  /** What the key may do */
  scopes: ("check" | "deduct" | "read" | "grant" | "refund" | "admin" | "purchase" | "report" | "token")[];
  /** Until when it counts; absent: for ever */
  expires_at?: string | null;
}

export interface KeyIssued {
  key_id: string;
  name: string;
  scopes: ("admin" | "check" | "deduct" | "grant" | "purchase" | "read" | "refund" | "report" | "token")[];
  created_at: string;
  created_by: string;
  expires_at: string | null;
  revoked_at: string | null;
  /** The key itself, once; null in a replay */
  key: string | null;
}

export interface Keys {
  keys: ServiceKey[];
}

export interface LedgerCorruptProblem {
  type: "/problems/ledger_corrupt";
  title: "The ledger needs a person";
  status: 500;
  /** A sentence for people */
  detail: string;
  code: "ledger_corrupt";
  request_id: string;
}

export interface LimitReachedProblem {
  type: "/problems/limit_reached";
  title: "A spend limit is reached";
  status: 402;
  /** A sentence for people */
  detail: string;
  code: "limit_reached";
  request_id: string;
  required: Amount;
  available: Amount;
  spendable: Amount;
  /** Set aside by open holds */
  held: Amount;
  /** Whose credits or limit it is */
  level: "account" | "budget" | "parent";
  /** How much is missing, with debt that is paid first */
  shortfall: Amount;
  blocking: "balance" | "debt" | "feature_limit" | "daily_limit" | "monthly_limit" | "per_run_max" | "parent";
  /** When the plan gives credits, or the limit counts, again */
  resets_at: string | null;
  /** The cheapest pack that would cover it, else the largest */
  offers: Offer[];
  /** The smallest plan that would */
  plans: PlanOffer[];
  affordable: Affordable;
  limit: Amount;
  /** Spent in the window, and held */
  spent: Amount;
}

export interface Limits {
  daily: Amount | null;
  monthly: Amount | null;
  per_run_max: Amount | null;
}

/** PUT /v1/accounts/{id}/limits. What is not sent stays; null takes a limit away. */
export interface LimitsBody {
  /** What may be spent in a day of the account's zone; null: no limit */
  daily?: number | string | null;
  /** What may be spent in a month of the account's zone; null: no limit */
  monthly?: number | string | null;
  /** What one run may cost; null: no limit */
  per_run_max?: number | string | null;
  /** Percentages of a limit that tell you, ascending; null: the catalog's */
  alert_thresholds?: number[] | null;
  /** The balance at which the account is low; null: the catalog's */
  low_balance?: number | string | null;
  /** Whose limits they are; the tighter ones hold */
  set_by?: "operator" | "user";
  /** Why; the ledger keeps it */
  reason?: string | null;
}

export interface LimitsChanged {
  /** The key of the ledger row: your Idempotency-Key, or one of the system's with `~` */
  key: string;
  /** What was set; null took a limit away */
  limits: ChangedLimits;
  set_by: "operator" | "user";
  /** What is there after this; below 0 where a plan allows overdraft */
  available: Amount;
  /** Set aside for calls under way */
  held: Amount;
  /** What is owed: overdraft, and credits whose money went back when spent */
  debt: Amount;
  /** The row's place in the account's ledger, from 1 without gaps */
  seq: number;
}

export interface LimitsUnchanged {
  /** The account was as asked for already */
  changed: false;
  limits: AccountLimits;
  available: Amount;
  seq: number;
}

export interface Live {
  account: string;
  /** The WebSocket subprotocol */
  protocol: string;
  /** The socket; null where the stack has no live updates */
  url: string | null;
  /** Goes into every authorization that the socket is sent */
  host: string | null;
  channel: string | null;
  /** Then both are asked for again */
  expires_in_s: number | null;
}

export interface MalformedProblem {
  type: "/problems/malformed";
  title: "The request cannot be read";
  status: 400;
  /** A sentence for people */
  detail: string;
  code: "malformed";
  request_id: string;
}

export interface MemberProblem {
  member: string;
  reason: string;
}

export interface ModelPrice {
  name: string;
  patterns: string[];
  price: Amount;
  explanation: string;
}

export interface NoCustomerProblem {
  type: "/problems/no_customer";
  title: "Nothing was paid yet";
  status: 409;
  /** A sentence for people */
  detail: string;
  code: "no_customer";
  request_id: string;
}

export interface NotFoundProblem {
  type: "/problems/not_found";
  title: "Not found";
  status: 404;
  /** A sentence for people */
  detail: string;
  code: "not_found";
  request_id: string;
}

export interface NotPendingProblem {
  type: "/problems/not_pending";
  title: "The price is final";
  status: 409;
  /** A sentence for people */
  detail: string;
  code: "not_pending";
  request_id: string;
}

export interface NotRefundableProblem {
  type: "/problems/not_refundable";
  title: "The money cannot go back";
  status: 409;
  /** A sentence for people */
  detail: string;
  code: "not_refundable";
  request_id: string;
}

export interface Offer {
  pack: string;
  credits: Amount;
  /** In the currency's main unit */
  price: string;
  currency: string;
}

export interface OpenHold {
  /** The hold's own id */
  hold_id: string;
  held: Amount;
  operation: string;
  model: string | null;
  opened_at: string;
  expires_at: string;
}

export interface OperationPrice {
  id: string;
  name: string;
  rule: "flat" | "per_unit" | "per_1k_tokens" | "tokens" | "resource" | "local";
  /** Credits per `unit`; null where each model has its own */
  price: Amount | null;
  unit: string;
  explanation: string;
  feature: string | null;
  models: ModelPrice[];
  /** Each run costs at least this */
  minimum?: Amount;
  /** So many calls, units or tokens of a period cost nothing */
  free_allowance?: Amount;
  tiers?: {
    above: Amount;
    /** Of the price, above that volume */
    percent: Amount;
  }[];
}

export interface Pack {
  id: string;
  name: string;
  credits: Amount;
  /** In the currency's main unit, with all its decimals */
  price: string;
  currency: string;
  price_per_credit: string;
  savings_percent: number;
  features: string[];
  expires_after_days: number | null;
}

export interface Packs {
  packs: Pack[];
}

export interface PaymentsUnavailableProblem {
  type: "/problems/payments_unavailable";
  title: "Payments are unavailable";
  status: 503;
  /** A sentence for people */
  detail: string;
  code: "payments_unavailable";
  request_id: string;
}

export interface PendingTopUp {
  purchase_id: string;
  status: "created" | "pending" | "paid" | "failed" | "expired" | "quarantined" | "partially_refunded" | "refunded" | "disputed";
  /** Where the customer confirms the payment, if that is asked */
  action_url: string | null;
}

export interface Plan {
  id: string;
  name: string;
  allocation: Amount;
  is_default: boolean;
  rollover: "none" | "all" | "capped";
  features: FeatureLimit[];
  driven_by: "calendar" | "stripe";
  /** What it costs each `interval`, where Stripe drives it */
  price?: string;
  currency?: string;
  interval?: "month" | "year";
  /** What costs something else on this plan */
  prices?: OperationPrice[];
}

/** PUT /v1/accounts/{id}/plan. */
export interface PlanBody {
  /** An id of the catalog */
  plan?: string | null;
  /** The plan by a role of the catalog, instead of `plan` */
  role?: string | null;
  /** A day from whose day of the month periods count */
  anchor?: string | null;
  /** When the change happens */
  at?: "now" | "period_end";
  /** Why; the ledger keeps it */
  reason?: string | null;
}

export interface PlanChanged {
  /** The key of the ledger row: your Idempotency-Key, or one of the system's with `~` */
  key: string;
  kind: "plan_change";
  from: string;
  to: string;
  /** `opening`: the account opened on the plan */
  at: "now" | "period_end" | "opening";
  /** What is there after this; below 0 where a plan allows overdraft */
  available: Amount;
  /** Set aside for calls under way */
  held: Amount;
  /** What is owed: overdraft, and credits whose money went back when spent */
  debt: Amount;
  /** The row's place in the account's ledger, from 1 without gaps */
  seq: number;
}

export interface PlanOffer {
  plan: string;
  name: string;
  allocation: Amount;
}

/** POST /v1/portal. */
export interface PortalBody {
  /** Who pays: your own user's or organisation's id */
  account: string;
  /** Where the customer goes afterwards; on an allowed origin */
  return_url: string;
}

export interface PortalOpened {
  /** Good for a few minutes */
  portal_url: string;
}

/** PUT /v1/accounts/{id}/profile. */
export interface ProfileBody {
  /** An IANA time zone such as Europe/Berlin */
  zone?: string | null;
  /** For people */
  name?: string | null;
  /** Why; the ledger keeps it */
  reason?: string | null;
}

export interface ProfileChanged {
  /** The key of the ledger row: your Idempotency-Key, or one of the system's with `~` */
  key: string;
  kind: "profile";
  name?: string;
  zone?: string;
  /** What is there after this; below 0 where a plan allows overdraft */
  available: Amount;
  /** Set aside for calls under way */
  held: Amount;
  /** What is owed: overdraft, and credits whose money went back when spent */
  debt: Amount;
  /** The row's place in the account's ledger, from 1 without gaps */
  seq: number;
}

export interface PromoCode {
  code: string;
  credits: Amount;
  reason: string;
  /** Nobody ended it */
  is_active: boolean;
  /** How many accounts redeemed it */
  redemptions: number;
  /** null: no bound */
  most_redemptions: number | null;
  expires_at: string | null;
  /** null: the credits stay */
  grant_days: number | null;
  /** For accounts on these; empty: on any */
  plans: string[];
  created_at: string;
  created_by: string;
}

export interface PromoCodes {
  codes: PromoCode[];
  /** The `cursor` of the next page; null on the last one */
  next_cursor: string | null;
}

export interface Purchase {
  purchase_id: string;
  account: string;
  kind: "pack" | "plan" | "invoice" | "top_up";
  /** null where a plan is bought */
  pack: string | null;
  /** null where a pack is bought */
  plan: string | null;
  /** A plan's come with each paid invoice, so of its checkout it is 0 */
  credits: Amount;
  /** In the currency's main unit, with all its decimals */
  price: string;
  currency: string;
  status: "created" | "pending" | "paid" | "failed" | "expired" | "quarantined" | "partially_refunded" | "refunded" | "disputed";
  reason: string | null;
  created_at: string;
  paid_at: string | null;
  /** What was paid for it itself; 0 for a plan's page, which invoices pay */
  paid: string;
  /** How much of the money went back so far */
  refunded: string;
  /** The credits that went back with the money */
  clawed_back: Amount;
  /** Of them, what nobody had any more and is not owed */
  uncollected: Amount;
  /** Of them, what had expired unspent, so nobody owes it */
  lapsed: Amount;
  disputes: Dispute[];
}

export interface PurchaseRefunded {
  /** Stripe's id of the refund */
  refund: string;
  purchase_id: string;
  account: string;
  kind: "pack" | "plan" | "invoice" | "top_up";
  /** null where a plan is bought */
  pack: string | null;
  /** null where a pack is bought */
  plan: string | null;
  /** A plan's come with each paid invoice, so of its checkout it is 0 */
  credits: Amount;
  /** In the currency's main unit, with all its decimals */
  price: string;
  currency: string;
  status: "created" | "pending" | "paid" | "failed" | "expired" | "quarantined" | "partially_refunded" | "refunded" | "disputed";
  reason: string | null;
  created_at: string;
  paid_at: string | null;
  /** What was paid for it itself; 0 for a plan's page, which invoices pay */
  paid: string;
  /** How much of the money went back so far */
  refunded: string;
  /** The credits that went back with the money */
  clawed_back: Amount;
  /** Of them, what nobody had any more and is not owed */
  uncollected: Amount;
  /** Of them, what had expired unspent, so nobody owes it */
  lapsed: Amount;
  disputes: Dispute[];
}

export interface Purchases {
  purchases: Purchase[];
  /** Send it as `cursor` for the next page; null at the end */
  next_cursor: string | null;
}

export interface Quarantine {
  charges: WaitingCharge[];
  /** The `cursor` of the next page; null on the last one */
  next_cursor: string | null;
}

export interface QuoteExpiredProblem {
  type: "/problems/quote_expired";
  title: "The quote is not valid any more";
  status: 422;
  /** A sentence for people */
  detail: string;
  code: "quote_expired";
  request_id: string;
}

export interface Received {
  received: true;
  outcome: "granted" | "pending" | "failed" | "expired" | "refunded" | "disputed" | "reinstated" | "linked" | "remembered" | "ended" | "quarantined" | "duplicate" | "ignored";
}

/** POST /v1/reconcile. */
export interface ReconcileBody {
  /** From when on; what was made earlier and may have changed counts, too */
  from: string;
  /** Until when */
  to: string;
  /** The `next_cursor` of the answer before, for the same range */
  cursor?: string | null;
}

export interface Reconciled {
  from: string;
  to: string;
  /** By the kind of Stripe's objects */
  counts: Record<string, ReconciledCounts>;
  /** What no webhook had told of */
  healed: ReconciledObject[];
  /** What is not the same here as at Stripe */
  differs: ReconciledObject[];
  is_finished: boolean;
  /** The `cursor` that goes on with this range; null at its end */
  next_cursor: string | null;
}

export interface ReconciledCounts {
  seen: number;
  /** Known here already, or not ours */
  fine: number;
  healed: number;
  /** Money that waits for a person */
  quarantined: number;
}

export interface ReconciledObject {
  kind: "checkout_sessions" | "invoices" | "payment_intents" | "charges" | "refunds" | "disputes" | "ended_subscriptions";
  /** Stripe's id of it */
  id: string;
  /** What became of it, or in what it differs */
  what: string;
  purchase: string | null;
  account: string | null;
  reason: string | null;
}

/** POST /v1/accounts/{id}/redeem. */
export interface RedeemBody {
  /** 3 to 40 letters, digits and `-`; case does not matter */
  code: string;
}

/** POST /v1/accounts/{id}/refunds. Without an amount the whole charge goes back. */
export interface RefundBody {
  /** The key of the charge */
  key: string;
  /** Credits: a number, or a text of digits, with at most six decimals */
  amount?: number | string | null;
  /** Why; the ledger keeps it */
  reason: string;
}

/** POST /v1/purchases/{purchase_id}/refund. The amount is money; without it all that is left. */
export interface RefundPurchaseBody {
  /** Money in the currency's main unit; absent: all that is left */
  amount?: number | string | null;
  /** Why; the ledger keeps it */
  reason: string;
}

/** POST /v1/holds/{id}/release. */
export interface ReleaseBody {
  /** Who pays: your own user's or organisation's id */
  account: string;
  /** Why; the ledger keeps it */
  reason?: string | null;
}

/** POST /v1/quarantine/payments/{case}/release. */
export interface ReleaseCaseBody {
  /** `grant` gives the credits, `dismiss` puts the case aside */
  action: "grant" | "dismiss";
  /** Who gets the credits; only where no purchase waits for them */
  account?: string | null;
  /** How many; only where no purchase waits for them */
  credits?: number | string | null;
  /** Why; the ledger keeps it */
  reason: string;
}

export interface Released {
  /** The key of the ledger row: your Idempotency-Key, or one of the system's with `~` */
  key: string;
  /** The hold's own id */
  hold_id: string;
  released: Amount;
  expired: Amount;
  /** What is there after this; below 0 where a plan allows overdraft */
  available: Amount;
  /** Set aside for calls under way */
  held: Amount;
  /** What is owed: overdraft, and credits whose money went back when spent */
  debt: Amount;
  /** The row's place in the account's ledger, from 1 without gaps */
  seq: number;
}

export interface Rerated {
  /** The key of the ledger row: your Idempotency-Key, or one of the system's with `~` */
  key: string;
  /** The charge's key */
  charge: string | null;
  /** What the run was priced at before */
  before: Amount;
  /** What it costs */
  price: Amount;
  /** Back in the grants that it came from */
  returned: Amount;
  /** Taken beside the charge */
  taken: Amount;
  /** Not there to take; below 0 where less of it is open than before */
  uncollected: Amount;
  /** What is there after this; below 0 where a plan allows overdraft */
  available: Amount;
  /** Set aside for calls under way */
  held: Amount;
  /** What is owed: overdraft, and credits whose money went back when spent */
  debt: Amount;
  /** The row's place in the account's ledger, from 1 without gaps */
  seq: number;
  /** What the provider billed, where that is known */
  cost_usd: string | null;
  breakdown: BreakdownLine[];
  /** Digest of the catalog that priced the run */
  price_version: string;
  warnings: Warning[];
}

/** POST /v1/deduct, and what describes a run that was made. */
export interface RunBody {
  /** Who pays: your own user's or organisation's id */
  account: string;
  /** What ran: an id of the catalog */
  operation: string;
  /** How many units: minutes, messages, documents; absent: 1 */
  quantity?: number | string | null;
  /** Tokens by pool, or the provider's usage object, or its whole answer */
  usage?: Record<string, unknown> | null;
  /** The model's name; absent: the one that the provider's answer names */
  model?: string | null;
  /** A label for stats, at most 64 bytes */
  feature?: string | null;
  /** The provider, at most 64 bytes */
  service?: string | null;
  /** A label for stats, at most 64 bytes */
  subtype?: string | null;
  /** An id of the catalog */
  plan?: string | null;
  /** The plan by a role of the catalog, instead of `plan` */
  role?: string | null;
  /** What one run may cost; null: no limit */
  per_run_max?: number | string | null;
  /** As an estimate gave it: its prices hold until it expires */
  quote_id?: string | null;
  /** Whose rates apply: `openai`, `anthropic`, …; absent: what model and usage say */
  provider?: string | null;
  /** How the provider ran it; absent: what the usage says */
  service_tier?: "standard" | "default" | "auto" | "batch" | "flex" | "priority" | "fast" | null;
  /** What the run took of a machine, where its operation is priced by that */
  resource?: {
    /** Milliseconds of processors */
    cpu_ms?: number | null;
    /** Megabytes of 10^6 bytes, for `duration_ms` */
    mem_mb?: number | null;
    /** How long it ran, in milliseconds */
    duration_ms?: number | null;
  } | null;
  /** Anything of yours that the ledger keeps, at most 4 KB */
  metadata?: Record<string, unknown> | null;
  /** How long it took; may differ between two tries with one key */
  response_time_ms?: number | null;
  /** When the run was */
  occurred_at?: string | null;
  /** false records that the run failed, and charges nothing */
  success?: boolean;
}

export interface ServiceKey {
  key_id: string;
  name: string;
  scopes: ("admin" | "check" | "deduct" | "grant" | "purchase" | "read" | "refund" | "report" | "token")[];
  created_at: string;
  created_by: string;
  expires_at: string | null;
  revoked_at: string | null;
}

export interface SettleAboveHoldProblem {
  type: "/problems/settle_above_hold";
  title: "More than the hold";
  status: 409;
  /** A sentence for people */
  detail: string;
  code: "settle_above_hold";
  request_id: string;
}

/** POST /v1/holds/{id}/settle: what the call used, in exactly one of four ways. */
export interface SettleBody {
  /** Who pays: your own user's or organisation's id */
  account: string;
  /** Tokens by pool, or the provider's usage object, or its whole answer */
  usage?: Record<string, unknown> | null;
  /** How many units: minutes, messages, documents; absent: 1 */
  quantity?: number | string | null;
  /** Credits: a number, or a text of digits, with at most six decimals */
  amount?: number | string | null;
  /** What the run took of a machine, where its operation is priced by that */
  resource?: {
    /** Milliseconds of processors */
    cpu_ms?: number | null;
    /** Megabytes of 10^6 bytes, for `duration_ms` */
    mem_mb?: number | null;
    /** How long it ran, in milliseconds */
    duration_ms?: number | null;
  } | null;
  /** The model's name; absent: the one that the provider's answer names */
  model?: string | null;
  /** Whose rates apply: `openai`, `anthropic`, …; absent: what model and usage say */
  provider?: string | null;
  /** How the provider ran it; absent: what the usage says */
  service_tier?: "standard" | "default" | "auto" | "batch" | "flex" | "priority" | "fast" | null;
  /** false: a part of a long run is charged, and the hold stays open with the rest */
  final?: boolean;
  /** How long it took; may differ between two tries with one key */
  response_time_ms?: number | null;
  /** When the run was */
  occurred_at?: string | null;
  /** Anything of yours that the ledger keeps, at most 4 KB */
  metadata?: Record<string, unknown> | null;
}

export interface Settled {
  /** The key of the ledger row: your Idempotency-Key, or one of the system's with `~` */
  key: string;
  /** The hold's own id */
  hold_id: string;
  charged: Amount;
  /** Back from the hold; what expired of it is in `expired` */
  released: Amount;
  /** Of what was released, what had no grant left to go back to */
  expired: Amount;
  /** Used above the hold, and not there to charge */
  uncollected: Amount;
  /** The hold had expired */
  late: boolean;
  /** false: the hold is still open with the rest */
  final: boolean;
  /** What is there after this; below 0 where a plan allows overdraft */
  available: Amount;
  /** Set aside for calls under way */
  held: Amount;
  /** What is owed: overdraft, and credits whose money went back when spent */
  debt: Amount;
  /** The row's place in the account's ledger, from 1 without gaps */
  seq: number;
  /** What the provider billed, where that is known */
  cost_usd: string | null;
  breakdown: BreakdownLine[];
  /** Digest of the catalog that priced the run */
  price_version: string;
  warnings: Warning[];
}

/** POST /v1/accounts/{id}/freeze, /unfreeze and /close, and an entry's /rerate. */
export interface StandingBody {
  /** Why; the ledger keeps it */
  reason: string;
}

export interface StandingChanged {
  /** The key of the ledger row: your Idempotency-Key, or one of the system's with `~` */
  key: string;
  kind: "freeze" | "unfreeze" | "close";
  /** What is there after this; below 0 where a plan allows overdraft */
  available: Amount;
  /** Set aside for calls under way */
  held: Amount;
  /** What is owed: overdraft, and credits whose money went back when spent */
  debt: Amount;
  /** The row's place in the account's ledger, from 1 without gaps */
  seq: number;
}

export interface Stats {
  from: string;
  to: string;
  zone: string;
  rows: StatsRow[];
  totals: StatsTotal;
}

export interface StatsRow {
  /** A day, the Monday of a week, or a month such as 2026-11 */
  bucket: string;
  /** There where rows are grouped by it; so are the next two */
  operation?: string | null;
  model?: string | null;
  feature?: string | null;
  /** Runs that were charged, less those undone; below 0 where more were */
  calls: number;
  failed: number;
  /** Net of what was given back */
  credits: Amount;
  refunded: Amount;
  /** Tokens by pool; pools without any are left out */
  tokens: {
    input?: number;
    cached_input?: number;
    cache_write_5m?: number;
    cache_write_1h?: number;
    output?: number;
    reasoning?: number;
    audio_input?: number;
    audio_output?: number;
    cached_audio_input?: number;
    image_input?: number;
    cached_image_input?: number;
    image_output?: number;
    video_input?: number;
    video_output?: number;
  };
  tokens_total: number;
  /** The sum of the costs that are known */
  cost_usd: string;
  average_credits: Amount;
}

export interface StatsTotal {
  /** Runs that were charged, less those undone; below 0 where more were */
  calls: number;
  failed: number;
  /** Net of what was given back */
  credits: Amount;
  refunded: Amount;
  /** Tokens by pool; pools without any are left out */
  tokens: {
    input?: number;
    cached_input?: number;
    cache_write_5m?: number;
    cache_write_1h?: number;
    output?: number;
    reasoning?: number;
    audio_input?: number;
    audio_output?: number;
    cached_audio_input?: number;
    image_input?: number;
    cached_image_input?: number;
    image_output?: number;
    video_input?: number;
    video_output?: number;
  };
  tokens_total: number;
  /** The sum of the costs that are known */
  cost_usd: string;
  average_credits: Amount;
}

export interface StillUnknownProblem {
  type: "/problems/still_unknown";
  title: "No price for this model yet";
  status: 409;
  /** A sentence for people */
  detail: string;
  code: "still_unknown";
  request_id: string;
}

/** An event as Stripe sends it; members that are not read may be any. */
export interface StripeEvent {
  id: string;
  object: "event" | "v2.core.event";
  type: string;
}

/** POST /v1/tokens. */
export interface TokenBody {
  /** Whose account the token opens */
  account: string;
  /** How long the token is good: 1 minute to 1 hour */
  expires_in_s?: number;
}

export interface TokenMinted {
  /** What the user's browser sends as its bearer; shown once, kept nowhere */
  token: string;
  account: string;
  expires_at: string;
  /** The account page, opened with the token */
  page_url: string | null;
}

export interface TooLargeProblem {
  type: "/problems/too_large";
  title: "Too large";
  status: 413;
  /** A sentence for people */
  detail: string;
  code: "too_large";
  request_id: string;
}

export interface TopUp {
  account: string;
  top_up: TopUpRule | null;
  /** The rule is on, and was not turned off by itself */
  is_active: boolean;
  off_reason: "failures" | "quarantined" | null;
  /** Why nothing is bought now; null: nothing */
  hindrance: "no_rule" | "off" | "not_active" | "enough" | "no_customer" | "no_card" | "disputed" | "pending" | "cooling" | "most_purchases" | "most_money" | "no_pack" | "price_changed" | null;
  /** The account is known as a customer at Stripe */
  has_customer: boolean;
  /** A payment is disputed, so no card is charged */
  is_disputed: boolean;
  /** How many failed in a row; three turn the rule off */
  failures: number;
  /** Why the last one failed, in Stripe's words */
  failure: string | null;
  /** The month that `purchases` and `spent` count */
  month: string | null;
  purchases: number;
  /** In the currency's main unit, with all its decimals */
  spent: string | null;
  pending: PendingTopUp | null;
  last_at: string | null;
  /** What is there after this; below 0 where a plan allows overdraft */
  available: Amount;
}

/** PUT /v1/accounts/{id}/top-up: the rule as it is to be, whole. */
export interface TopUpBody {
  /** An id of the catalog */
  pack: string;
  /** The pack is bought when less than this is available */
  below: number | string;
  /** How many may be bought in a calendar month of the account's zone */
  most_purchases?: number;
  /** What a month may cost, in the pack's currency; absent: no cap */
  monthly_cap?: number | string | null;
  /** false: nothing is bought */
  on?: boolean;
  /** Where a customer goes who confirmed a payment; on an allowed origin */
  return_url?: string | null;
  /** cleared: the card may be charged again after disputes; scope admin */
  disputes?: "cleared" | null;
  /** Why; the ledger keeps it */
  reason?: string | null;
}

export interface TopUpChanged {
  /** The key of the ledger row: your Idempotency-Key, or one of the system's with `~` */
  key: string;
  top_up: TopUpRule;
  /** What is there after this; below 0 where a plan allows overdraft */
  available: Amount;
  /** Set aside for calls under way */
  held: Amount;
  /** What is owed: overdraft, and credits whose money went back when spent */
  debt: Amount;
  /** The row's place in the account's ledger, from 1 without gaps */
  seq: number;
}

export interface TopUpRule {
  pack: string;
  /** The pack is bought when less than this is available */
  below: Amount;
  /** How many in a calendar month of the account's zone */
  most_purchases: number;
  /** What a month may cost; null: no cap */
  monthly_cap: string | null;
  /** What was agreed to: a card is never charged more for the pack */
  price: string;
  currency: string;
  on: boolean;
  return_url: string | null;
}

export interface TopUpUnchanged {
  /** The rule was as asked for already */
  changed: false;
  top_up: TopUpRule;
  available: Amount;
  seq: number;
}

export interface UnauthorizedProblem {
  type: "/problems/unauthorized";
  title: "Nobody we know";
  status: 401;
  /** A sentence for people */
  detail: string;
  code: "unauthorized";
  request_id: string;
}

export interface Unchanged {
  /** The account was as asked for already */
  changed: false;
  plan: string;
  available: Amount;
  seq: number;
}

export interface UnknownCodeProblem {
  type: "/problems/unknown_code";
  title: "No such code";
  status: 404;
  /** A sentence for people */
  detail: string;
  code: "unknown_code";
  request_id: string;
}

export interface UnknownModelProblem {
  type: "/problems/unknown_model";
  title: "No price for this model";
  status: 422;
  /** A sentence for people */
  detail: string;
  code: "unknown_model";
  request_id: string;
  model: string | null;
  models: string[];
}

export interface UnknownOperationProblem {
  type: "/problems/unknown_operation";
  title: "No such operation";
  status: 422;
  /** A sentence for people */
  detail: string;
  code: "unknown_operation";
  request_id: string;
}

export interface UsageReport {
  from: string;
  to: string;
  /** The first day that the reports have */
  since: string | null;
  /** The last day that is complete; later ones may still grow */
  through: string | null;
  rows: UsageReportRow[];
  totals: StatsTotal;
}

export interface UsageReportRow {
  /** A day, the Monday of a week, or a month such as 2026-11 */
  bucket: string;
  /** There where rows are grouped by it; so are the next two */
  operation?: string | null;
  model?: string | null;
  feature?: string | null;
  /** Runs that were charged, less those undone; below 0 where more were */
  calls: number;
  failed: number;
  /** Net of what was given back */
  credits: Amount;
  refunded: Amount;
  /** Tokens by pool; pools without any are left out */
  tokens: {
    input?: number;
    cached_input?: number;
    cache_write_5m?: number;
    cache_write_1h?: number;
    output?: number;
    reasoning?: number;
    audio_input?: number;
    audio_output?: number;
    cached_audio_input?: number;
    image_input?: number;
    cached_image_input?: number;
    image_output?: number;
    video_input?: number;
    video_output?: number;
  };
  tokens_total: number;
  /** The sum of the costs that are known */
  cost_usd: string;
  average_credits: Amount;
}

export interface Verified {
  account: string;
  /** Nothing was found; null where the time was over before the end */
  is_clean: boolean | null;
  is_finished: boolean;
  /** How many rows were read */
  entries: number;
  available: Amount | null;
  seq: number | null;
  /** Credits that no row explains; 0 in a ledger that is whole */
  unexplained: Amount;
  findings_total: number;
  /** The first of them */
  findings: Finding[];
}

/** POST /v1/accounts/{id}/entries/{key}/void. May be empty. */
export interface VoidBody {
  /** Why; the ledger keeps it */
  reason?: string | null;
}

export interface WaitingCharge {
  account: string;
  /** The key of the ledger row: your Idempotency-Key, or one of the system's with `~` */
  key: string;
  at: string;
  operation: string;
  model: string | null;
  /** What was charged until the price is known */
  charged: Amount;
}

export interface Warning {
  code: string;
  message: string;
}

export interface Window {
  window: "day" | "month" | "period";
  spent: Amount;
  limit: Amount | null;
  /** How much of the limit is spent, rounded down */
  percent: number | null;
  resets_at: string;
}
