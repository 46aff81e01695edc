"""The table behind a storm as it is stored: every item belongs to somebody and is explained."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import botocore.session

from local.run import TABLE_NAME
from tests.e2e.running_gateway import ROOT, RunningGateway
from tollkeeper.edge.catalog_file import read_catalog
from tollkeeper.store.audit import audit_items

CATALOG = ROOT / "layers" / "catalog" / "catalog.toml"
# Besides accounts: links, Stripe events, price versions and service keys.
OTHERS = ("L#", "S#", "V#", "K")


@dataclass(kw_only=True)
class Audited:
    """What a reading of the whole table found."""

    entries: int = 0
    violations: list[str] = field(default_factory=list[str])


def engine_endpoint(gateway: RunningGateway) -> str:
    """Where the engine of the running gateway answers, as it printed it last."""
    lines = [line for line in gateway.log().splitlines() if line.startswith("  database")]
    return next(word.rstrip(",") for word in lines[-1].split() if word.startswith("http"))


def read_table(gateway: RunningGateway) -> Iterator[dict[str, Any]]:
    """Every item of the table, strongly read from the engine itself."""
    client: Any = botocore.session.get_session().create_client(
        "dynamodb",
        region_name="us-east-1",
        endpoint_url=engine_endpoint(gateway),
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    start: dict[str, Any] = {}
    while True:
        page: dict[str, Any] = client.scan(TableName=TABLE_NAME, ConsistentRead=True, **start)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def audit_table(gateway: RunningGateway, accounts: set[str]) -> Audited:
    """What the items do not explain, account by account."""
    audited = Audited()
    catalog = read_catalog(CATALOG)
    partitions: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for item in read_table(gateway):
        partitions[item["pk"]["S"]].append(item)
    for pk, items in partitions.items():
        if not pk.startswith("A#"):
            if not pk.startswith(OTHERS):
                audited.violations.append(f"audit: nobody knows {pk}")
            continue
        if pk[2:] not in accounts:
            audited.violations.append(f"audit: I20: nobody asked for the account {pk}")
        findings = audit_items(items, catalog=catalog)
        audited.entries += findings.entries
        if not findings.is_clean:
            audited.violations.append(f"audit: {pk}: {findings}")
    return audited
