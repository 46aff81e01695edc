/** The client. Members of requests and answers have the API's own names: docs/api.md. */

import type {
  Account,
  Allowed,
  Catalog,
  Charged,
  CheckBody,
  CheckoutBody,
  CheckoutOpened,
  Entry,
  Estimate,
  FeatureLimitProblem,
  GivenBack,
  GrantBody,
  Granted,
  Held,
  History,
  HoldBody,
  InsufficientCreditsProblem,
  LimitReachedProblem,
  LimitsBody,
  LimitsChanged,
  LimitsUnchanged,
  Live,
  Offer,
  Packs,
  PlanOffer,
  PortalBody,
  PortalOpened,
  Purchase,
  Purchases,
  Released,
  RunBody,
  SettleBody,
  Settled,
  Stats,
  TokenBody,
  TokenMinted,
  TopUp,
} from "./api.d.ts";

export type * from "./api.d.ts";

/** `account` may be left out: it is the client's own. */
export type Own<Body> = Omit<Body, "account"> & { account?: string };

/** A problem of the API (RFC 9457), with what its code adds. */
export interface Problem {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  code?: string;
  request_id?: string;
  /** Of `invalid`: which member cannot be used, and why. */
  errors?: { member: string; reason: string }[];
  /** API Gateway's own answers have only this. */
  message?: string;
  [member: string]: unknown;
}

/** A 402 of the API. */
export type Shortage = InsufficientCreditsProblem | LimitReachedProblem | FeatureLimitProblem;

export class TollkeeperError extends Error {
  constructor(status: number, problem?: Problem);
  /** 0 where no answer came. */
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly requestId: string;
  readonly problem: Problem;
}

export class InsufficientCreditsError extends TollkeeperError {
  readonly problem: Problem & Partial<Shortage>;
  readonly required: number;
  readonly available: number;
  readonly spendable: number;
  readonly held: number;
  readonly shortfall: number;
  readonly blocking: Shortage["blocking"];
  readonly resets_at: string | null;
  readonly offers: Offer[];
  readonly plans: PlanOffer[];
  readonly affordable: Shortage["affordable"];
}

export class LimitReachedError extends InsufficientCreditsError {}

export class NetworkError extends TollkeeperError {
  constructor(cause?: unknown);
}

/** The error that an answer stands for; a 402 may lie inside of a backend's own error. */
export function errorOf(status: number, body: unknown): TollkeeperError;
export function newKey(): string;

export interface Balance {
  available: number;
  seq: number;
}

export interface ClientOptions {
  /** The stack's output ApiUrl. */
  api: string;
  /** A customer token, or on a backend a service key. */
  token?: string | null;
  /** Gives the token; asked again with `refresh: true` when one was refused. null: nobody is signed in. */
  getToken?: (why: { refresh: boolean }) => string | null | Promise<string | null>;
  /** The account of this client; with a customer's token "me", which is the default. */
  account?: string;
  fetch?: (url: string | URL, init: RequestInit) => Promise<Response>;
  /** The balance that an answer told; never an older one after a newer one. */
  onAvailable?: (news: Balance) => void;
}

export interface FetchInit extends RequestInit {
  /** Its Idempotency-Key; with one, a request that got no answer is sent again. */
  key?: string;
  /** Sends the token; "maybe": where there is one. */
  withToken?: boolean | "maybe";
  /** Whether it may be sent again after 429, 502, 503, 504 or no answer. */
  repeat?: boolean;
}

export interface Page {
  limit?: number;
  cursor?: string | null;
}

export interface StatsRange {
  from?: string;
  to?: string;
  bucket?: "day" | "week" | "month";
  group_by?: "operation" | "model" | "feature";
}

/** The key was used before this call: somebody else's first answer, and nothing was done now. */
export interface Replayable {
  replayed?: true;
}

export interface Keyed {
  key: string;
}

export class TollkeeperClient {
  constructor(options: ClientOptions);
  readonly api: string;
  readonly accountId: string;
  readonly canRenew: boolean;
  readonly getToken: (why: { refresh: boolean }) => string | null | Promise<string | null>;
  readonly onAvailable?: (news: Balance) => void;
  readonly fetcher: (url: string | URL, init: RequestInit) => Promise<Response>;

  /** The token in use; `stale` is one that was refused. */
  token(stale?: string | null): Promise<string | null>;
  /** A request to the app's own backend: 402 and no answer are errors, all else is the answer. */
  fetch(url: string | URL, options?: FetchInit): Promise<Response>;
  /** A request to the API. */
  request(method: string, path: string, body?: unknown, options?: { key?: string; withToken?: boolean | "maybe" }): Promise<any>;

  account(): Promise<Account>;
  entries(page?: Page): Promise<History>;
  entry(key: string): Promise<Entry>;
  csv(page?: Page): Promise<{ text: string; next_cursor: string | null }>;
  stats(range?: StatsRange): Promise<Stats>;
  packs(): Promise<Packs>;
  catalog(): Promise<Catalog>;
  check(run: Own<CheckBody>): Promise<Allowed>;
  estimate(run: Own<CheckBody>): Promise<Estimate>;
  setLimits(limits: LimitsBody): Promise<LimitsChanged | LimitsUnchanged>;
  checkout(wanted: Own<CheckoutBody>, options?: { key?: string }): Promise<CheckoutOpened>;
  portal(wanted: Own<PortalBody>): Promise<PortalOpened>;
  purchase(id: string): Promise<Purchase>;
  purchases(page?: Page): Promise<Purchases>;
  topUp(): Promise<TopUp>;
  live(): Promise<Live>;

  // With a service key.
  deduct(run: Own<RunBody>, options: Keyed): Promise<Charged & Replayable>;
  void(charge: string, options: Keyed & { account?: string; reason?: string }): Promise<GivenBack & Replayable>;
  hold(run: Own<HoldBody>, options?: { key?: string }): Promise<Held & Replayable>;
  settle(id: string, used: Own<SettleBody>, options?: { key?: string }): Promise<Settled & Replayable>;
  release(id: string, body?: { account?: string; reason?: string }): Promise<Released>;
  grant(grant: GrantBody, options: Keyed & { account?: string }): Promise<Granted>;
  mintToken(wanted: TokenBody): Promise<TokenMinted>;
}
