"""What a process keeps between requests, and how a test makes it forget."""

from __future__ import annotations

from tollkeeper.edge import (
    authorization,
    bus,
    event_api,
    oidc,
    page_settings,
    settings,
    web_files,
    wiring,
)

# Taken before any test replaces one of them.
KEPT = (
    wiring.world,
    wiring.ledger,
    wiring.clock,
    wiring.stack_secrets,
    settings.read_settings,
    page_settings.read_page_settings,
    web_files.web_site,
    authorization.gatehouse,
    oidc.read_policy,
    oidc.key_set,
    event_api.event_api,
    bus.event_bus,
    bus.hasty_bus,
)


def forget() -> None:
    """Whatever a process keeps between requests is forgotten."""
    for kept in KEPT:
        kept.cache_clear()
