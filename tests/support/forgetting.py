"""What a process keeps between requests, and how a test makes it forget."""

from __future__ import annotations

from tollkeeper.edge import authorization, bus, settings, wiring

# Taken before any test replaces one of them.
KEPT = (
    wiring.world,
    wiring.ledger,
    wiring.clock,
    wiring.stack_secrets,
    settings.read_settings,
    authorization.gatehouse,
    bus.event_bus,
    bus.hasty_bus,
)


def forget() -> None:
    """Whatever a process keeps between requests is forgotten."""
    for kept in KEPT:
        kept.cache_clear()
