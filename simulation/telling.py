"""A storm as a person reads it."""

from __future__ import annotations

from simulation.storm import Outcome, moment_of

LONGEST_HISTORY = 400


def tell_outcome(outcome: Outcome) -> str:
    """The rules that were broken, and what happened before, in order."""
    lines = [f"seed {outcome.plot.seed}: stories {', '.join(map(str, outcome.stories))}"]
    lines += [
        f"  {told.at_us and moment_of(told.at_us)} {told.who:24} {told.what}"
        for told in outcome.history[-LONGEST_HISTORY:]
    ]
    if not outcome.violations:
        lines.append("nothing is wrong")
    lines += [f"VIOLATION {violation}" for violation in outcome.violations]
    return "\n".join(lines) + "\n"
