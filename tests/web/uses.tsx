// What an app in TypeScript writes; it is only checked, never run.

import { CreditGate, InsufficientCreditsError, TollkeeperClient, configure } from "../../clients/web/modules/elements.js";

const client = new TollkeeperClient({ api: "https://api.example.com", getToken: async ({ refresh }) => (refresh ? "new" : "old") });

export async function uses(gate: CreditGate): Promise<number> {
  const { available, windows, limits } = await client.account();
  const percent: number | null = windows[0]!.percent;
  const daily: number | null = limits.user.daily;
  const estimate = await client.estimate({ operation: "ai_tokens", model: "gpt-4", usage: { total: 2000 } });
  try {
    await client.deduct({ operation: "sms", quantity: 1 }, { key: "sms_1" });
  } catch (error) {
    if (error instanceof InsufficientCreditsError) return error.shortfall + (error.offers[0]?.credits ?? 0);
  }
  const answer = await gate.run(async ({ key }) => (await client.fetch("/api/chat", { method: "POST", key })).json() as Promise<{ text: string }>);
  document.querySelector("credit-balance")?.addEventListener("credit-change", (event) => event.detail.available.toFixed());
  configure({ api: "/", token: "tkc", refreshSeconds: 60 }).subscribe((state) => state.available);
  // @ts-expect-error the key is what makes a charge happen once
  await client.deduct({ operation: "sms" });
  // @ts-expect-error there is no such member
  await client.check({ operation: "sms", colour: "red" });
  return available + (percent ?? 0) + (daily ?? 0) + estimate.typical + answer.text.length;
}

export const element: JSX.IntrinsicElements["credit-gate"] = { operation: "ai_tokens", mode: "overlay", "pricing-href": "/pricing", confirm: 10 };
