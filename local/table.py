"""The stack's table, as template.yaml declares it, in the engine that serves one machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local.template import Template, table_definition, time_to_live_attribute

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

READY_TIMEOUT_S = 20.0


class TableError(Exception):
    """The table that is there is not the one that the template declares."""


def ensure_table(template: Template, *, name: str) -> None:
    """The table is there, with the keys and indexes of the template; its items are left alone.

    Raises: TableError where a table of this name has other keys or lacks an index.
    """
    config = Config(connect_timeout=2, read_timeout=20, retries={"total_max_attempts": 3})
    client: DynamoDBClient = boto3.client("dynamodb", config=config)  # pyright: ignore[reportUnknownMemberType]
    definition = table_definition(template, name=name)
    try:
        client.create_table(**definition)
        _expire_items(client, name=name, attribute=time_to_live_attribute(template))
    except client.exceptions.ResourceInUseException:
        pass
    deadline = time.monotonic() + READY_TIMEOUT_S
    table = client.describe_table(TableName=name)["Table"]
    while table.get("TableStatus") != "ACTIVE" and time.monotonic() < deadline:
        time.sleep(0.1)
        table = client.describe_table(TableName=name)["Table"]
    wanted = {index["IndexName"] for index in definition.get("GlobalSecondaryIndexes", [])}
    found = {index.get("IndexName", "") for index in table.get("GlobalSecondaryIndexes", [])}
    if table.get("KeySchema") != list(definition.get("KeySchema", [])) or wanted - found:
        raise TableError(
            f"The table {name} was made by another version of the template: it lacks "
            f"{', '.join(sorted(wanted - found)) or 'its keys'}. Use an empty folder: DATA=..."
        )


def _expire_items(client: DynamoDBClient, *, name: str, attribute: str) -> None:
    """Items end at the moment in their TTL attribute, where the engine knows how."""
    try:
        client.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": attribute},
        )
    except ClientError:
        # Without it items only stay longer; nothing reads one for being expired.
        return
