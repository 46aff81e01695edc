/** What a channel tells: the balance after the account's entry `seq`. */
export interface LiveNews {
  available: number;
  seq: number;
  kind: string;
}

/**
 * "live": subscribed just now, and what came before may have been missed. "shared": another tab
 * of this browser has the socket. "off": there is none to have. "closed": not while nobody looks.
 */
export type LiveState = "connecting" | "live" | "shared" | "off" | "closed";

export interface LiveOptions {
  client: { api: string; live(): Promise<any>; token(): Promise<any> };
  onNews(news: LiveNews): void;
  onState?(state: LiveState): void;
}

export interface Live {
  close(): void;
}

export function openLive(options: LiveOptions): Live;
