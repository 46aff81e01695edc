import type { Account, Balance, Catalog, ClientOptions, Purchase, TollkeeperClient } from "./client.d.ts";

export interface SessionOptions extends Omit<ClientOptions, "onAvailable"> {
  /** How often a visible page asks; default 30. */
  refreshSeconds?: number;
  /** Whether news come over a socket where the stack has them; default true. */
  live?: boolean;
}

export interface SessionState {
  account: Account | null;
  available: number | null;
  seq: number;
  status: "loading" | "ready" | "error" | "signed-out";
  error: any;
  /** What became of the last purchase of this tab; "left": the payment page was left unpaid. */
  purchase?: { id: string; url: string; credits: number; pack?: string; status: Purchase["status"] | "left" } | null;
}

export class Session {
  constructor(options: SessionOptions);
  readonly client: TollkeeperClient;
  readonly options: SessionOptions;
  readonly refreshMs: number;
  readonly wantsLive: boolean;
  readonly channel: BroadcastChannel | null;
  state: SessionState;
  subscribe(listener: (state: SessionState) => void): () => void;
  saw(news: Balance): void;
  refresh(options?: { now?: boolean }): Promise<void>;
  catalog(): Promise<Catalog>;
  put(changes: Partial<SessionState>): void;
  close(): void;
}

/** The page's session from now on. */
export function configure(options: SessionOptions): Session;
export function session(): Session | undefined;
export function watchSession(watcher: (session: Session | undefined) => void): () => void;
