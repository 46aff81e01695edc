/** Stats as the series of a chart. Pure functions; days are texts such as 2026-11-20. */

const DAY_MS = 864e5;
const OTHER = "";

const shift = (day, days) => new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);

/** The last `days` days up to today in `zone`. */
export function rangeOf(days, zone, now = new Date()) {
  const to = new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short" }).format(now);
  return { from: shift(to, 1 - days), to };
}

/** The names of all buckets between two days, those without a run too. A week is its Monday. */
export function bucketsOf(from, to, bucket) {
  const monday = (day) => shift(day, -((new Date(day).getUTCDay() + 6) % 7));
  const step = bucket === "week" ? 7 : 1;
  const found = [];
  for (let day = step > 1 ? monday(from) : from; day <= to; day = shift(day, step)) found.push(day);
  return found;
}

/** What a row has of a measure: credits, calls, tokens or cost. */
export function valueOf(row, measure) {
  const members = { credits: "credits", calls: "calls", tokens: "tokens_total", cost: "cost_usd" };
  return Number(row[members[measure]]);
}

/**
 * Groups from the largest to the smallest, each with a value for every bucket; those beyond `most`
 * are one group with an empty id. `sums` are the buckets' own, and `max` the largest of them.
 */
export function seriesOf(stats, { bucket, groupBy, measure, most = 5 }) {
  const buckets = bucketsOf(stats.from, stats.to, bucket);
  const at = new Map(buckets.map((name, index) => [name, index]));
  const byId = new Map();
  for (const row of stats.rows) {
    const id = row[groupBy] ?? null;
    const group = byId.get(id) ?? { id, total: 0, values: buckets.map(() => 0) };
    byId.set(id, group);
    const value = valueOf(row, measure);
    group.total += value;
    group.values[at.get(row.bucket) ?? 0] += value;
  }
  const ranked = [...byId.values()].sort((a, b) => b.total - a.total || String(a.id).localeCompare(String(b.id)));
  const groups = ranked.length > most + 1 ? [...ranked.slice(0, most), merged(ranked.slice(most))] : ranked;
  const sums = buckets.map((_, index) => groups.reduce((sum, group) => sum + group.values[index], 0));
  return { buckets, groups, sums, max: Math.max(0, ...sums) };
}

function merged(groups) {
  const total = groups.reduce((sum, group) => sum + group.total, 0);
  return { id: OTHER, total, values: groups[0].values.map((_, at) => groups.reduce((sum, group) => sum + group.values[at], 0)) };
}

/** A round number at or above `max`, whose half is round too. */
export function topOf(max) {
  if (!(max > 0)) return 1;
  const unit = 10 ** Math.floor(Math.log10(max));
  return [1, 2, 4, 6, 8, 10].map((step) => step * unit).find((top) => top >= max * (1 - 1e-9)) ?? 10 * unit;
}
