/** All elements: importing this makes them. */

export * from "./client.js";
export { configure, session } from "./session.js";
import "./credit-balance.js";
import "./credit-costs.js";
import "./credit-estimate.js";
import "./credit-gate.js";
import "./credit-history.js";
import "./credit-limits.js";
import "./credit-packs.js";
import "./credit-usage.js";
