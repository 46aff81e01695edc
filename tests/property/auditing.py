"""The product's own audit on the ledger of the state machine."""

from __future__ import annotations

from tollkeeper.domain.audit import Audit
from tollkeeper.domain.audit_findings import Findings
from tollkeeper.domain.draft import ChargeReturned
from tollkeeper.domain.totals import DayClosed

from .world import MemoryLedger


def audit_ledger(ledger: MemoryLedger) -> Findings:
    """What the deployed audit says of all that is stored."""
    audit = Audit(ledger.account, ledger.catalog)
    for charge, by in ledger.returned.items():
        audit.add_mark(ChargeReturned(charge, by))
    for day, totals in ledger.days.items():
        audit.add_day(DayClosed(day, totals))
    for purchase in ledger.purchases.values():
        audit.add_purchase(purchase)
    for entry in ledger.entries.values():
        audit.add(entry)
    return audit.finish()
