import type { CheckBody, Own, Problem } from "./client.d.ts";
import type { CreditElement } from "./element.d.ts";

export * from "./client.js";
export { configure, session } from "./session.js";
export type { Session, SessionOptions, SessionState } from "./session.js";

/** What an action may cost: the members of POST /v1/check. */
export type Run = Own<CheckBody>;

export class CreditBalance extends CreditElement {}
export class CreditPacks extends CreditElement {}
export class CreditLimits extends CreditElement {}
export class CreditUsage extends CreditElement {}
export class CreditHistory extends CreditElement {}
export class CreditCosts extends CreditElement {}
export class CreditEstimate extends CreditElement {
  /** The run; it goes before the attributes. */
  request: Run | null;
}
export class CreditGate extends CreditElement {
  /** The run; it goes before the attributes. */
  request: Run | null;
  /** What a form's or button's action does; without one it is submitted or pressed again. */
  action: ((it: { key: string; target: HTMLElement }) => unknown) | null;
  /** The idempotency key of the action under way, "" without one. */
  readonly key: string;
  /** What the account may spend now. */
  readonly spendable: number;
  readonly isBlocked: boolean;
  /** Runs `action` once it can be paid for; throws the 402 where the customer cancels. */
  run<T>(action: (it: { key: string }) => T | Promise<T>, options?: { run?: Run | null; key?: string }): Promise<T>;
}

export interface CreditEventMap {
  "credit-change": CustomEvent<{ available: number; seq: number }>;
  "credit-shortage": CustomEvent<{ problem: Problem }>;
  "credit-proceed": CustomEvent<{ key: string; run: Run | null }>;
  "credit-cancel": CustomEvent<undefined>;
  "credit-restore": CustomEvent<{ run: Run | null }>;
  "credit-checkout": CustomEvent<{ pack?: string; plan?: string; url: string; purchase_id: string }>;
  "credit-error": CustomEvent<{ error: Error }>;
}

type Flag = boolean | "" | undefined;
type Theme = { theme?: "light" | "dark" | "auto" };
type RunAttributes = {
  operation?: string;
  model?: string;
  quantity?: number | string;
  feature?: string;
  subtype?: string;
  provider?: string;
  /** JSON: the API's `usage`. */
  usage?: string;
  /** JSON: the API's `resource`. */
  resource?: string;
  /** It runs on the customer's own machine: nothing is asked. */
  local?: Flag;
};
type ReturnUrls = { "success-url"?: string; "cancel-url"?: string };

/** The elements' attributes, by name. */
export interface CreditElements {
  "credit-balance": Theme & { detailed?: Flag; href?: string; "buy-href"?: string; label?: string; low?: number | string };
  "credit-packs": Theme & ReturnUrls & { only?: string };
  "credit-limits": Theme;
  "credit-estimate": Theme & RunAttributes & { compact?: Flag };
  "credit-gate": Theme &
    ReturnUrls &
    RunAttributes & {
      mode?: "dialog" | "overlay" | "off";
      cost?: number | string;
      label?: string;
      confirm?: Flag | number | string;
      retry?: "auto" | "button";
      "no-check"?: Flag;
      "pricing-href"?: string;
    };
  "credit-usage": Theme & {
    days?: number | string;
    "group-by"?: "operation" | "model" | "feature" | "";
    measure?: string;
    "no-cost"?: Flag;
    heading?: string;
  };
  "credit-history": Theme & { heading?: string; "no-cost"?: Flag };
  "credit-costs": Theme & { heading?: string; operations?: string };
}

/** What React adds to every element; typed loosely, so that React's own types are not needed. */
type Intrinsic<Attributes> = Attributes & { children?: any; ref?: any; key?: any; id?: string; class?: string; className?: string; style?: any; slot?: string; hidden?: boolean; lang?: string } & {
  [handler: `on${string}`]: any;
};
type IntrinsicCredits = { [Name in keyof CreditElements]: Intrinsic<CreditElements[Name]> };

declare global {
  interface HTMLElementTagNameMap {
    "credit-balance": CreditBalance;
    "credit-packs": CreditPacks;
    "credit-limits": CreditLimits;
    "credit-estimate": CreditEstimate;
    "credit-gate": CreditGate;
    "credit-usage": CreditUsage;
    "credit-history": CreditHistory;
    "credit-costs": CreditCosts;
  }
  interface HTMLElementEventMap extends CreditEventMap {}
  namespace JSX {
    interface IntrinsicElements extends IntrinsicCredits {}
  }
}

// @ts-ignore React 19 has its JSX inside of its module; without React this is nobody's.
declare module "react" {
  namespace JSX {
    interface IntrinsicElements extends IntrinsicCredits {}
  }
}
