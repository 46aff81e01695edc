"""The engines side by side: each gets the same requests, and answers are put in one form."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.config
import botocore.session
import moto
from botocore.exceptions import ClientError

from local.engine import Engine, dynoxide, free_port, ministack
from simulation.store import SimStore, UnsupportedError

TABLE = "conformance"
CRASHED = "raised an error of its own"
MAKERS = {"dynoxide": dynoxide, "ministack": ministack}
# A table with every kind of key and projection, where ours has strings and numbers alone.
DEFINITION: dict[str, Any] = {
    "TableName": TABLE,
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "S"},
        {"AttributeName": "n", "AttributeType": "N"},
        {"AttributeName": "s", "AttributeType": "S"},
        {"AttributeName": "b", "AttributeType": "B"},
    ],
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by_number",
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "n", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x", "y"]},
        },
        {
            "IndexName": "by_string",
            "KeySchema": [
                {"AttributeName": "s", "KeyType": "HASH"},
                {"AttributeName": "n", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        },
        {
            "IndexName": "by_binary",
            "KeySchema": [
                {"AttributeName": "s", "KeyType": "HASH"},
                {"AttributeName": "b", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        },
    ],
}


@dataclass(frozen=True)
class Outcome:
    """What an engine said. Shape: `code` is empty where it did as it was told."""

    code: str
    message: str
    answer: Mapping[str, Any]


def ask(client: Any, operation: str, request: Mapping[str, Any]) -> Outcome:
    """The engine's answer or error, without what only one of them adds."""
    try:
        answer: dict[str, Any] = getattr(client, operation)(**request)
    except UnsupportedError:
        raise
    except ClientError as error:
        return outcome_of(error)
    except Exception as error:  # noqa: BLE001 - moto answers with whatever went wrong inside it
        return Outcome(CRASHED, repr(error), {})
    answer.pop("ResponseMetadata", None)
    return Outcome("", "", answer)


def outcome_of(error: ClientError) -> Outcome:
    """What an error says, without what only one of the engines adds."""
    response: dict[str, Any] = dict(error.response)
    told = {name: response[name] for name in ("CancellationReasons",) if name in response}
    return Outcome(response["Error"]["Code"], response["Error"].get("Message", ""), told)


@contextmanager
def running_moto() -> Generator[Any]:
    """A client of moto, in this process, for one thread."""
    with moto.mock_aws():
        yield _client(None)


@contextmanager
def running_engine(name: str, data: Path) -> Generator[Any]:
    """A client of an engine in a process of its own, which ends with the block."""
    port = free_port()
    kind = MAKERS[name](data=data, port=port)
    assert kind is not None, f"{name} is installed"
    log: list[str] = []
    engine = Engine(kind=kind, port=port, data=data, log=log.append)
    engine.start()
    try:
        yield _client(engine.endpoint)
    finally:
        engine.stop()


def is_installed(name: str, data: Path) -> bool:
    """Whether this machine has the engine."""
    return MAKERS[name](data=data, port=0) is not None


def _client(endpoint: str | None) -> Any:
    config = botocore.config.Config(
        retries={"total_max_attempts": 1, "mode": "standard"},
        parameter_validation=False,
        account_id_endpoint_mode="disabled",
    )
    return botocore.session.get_session().create_client(
        "dynamodb",
        endpoint_url=endpoint,
        config=config,
        region_name="eu-west-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def empty_table(client: Any, definition: Mapping[str, Any] = DEFINITION) -> None:
    """The engine has the table, and nothing is in it."""
    with contextlib.suppress(client.exceptions.ResourceNotFoundException):
        client.delete_table(TableName=definition["TableName"])
    client.create_table(**definition)


def new_store() -> SimStore:
    """A SimStore with the same table, and nothing in it."""
    return SimStore(DEFINITION)


def scan(client: Any, table: str = TABLE) -> list[dict[str, Any]]:
    """Everything in the engine's table, by key."""
    items: list[dict[str, Any]] = []
    more: dict[str, Any] = {}
    while True:
        page = client.scan(TableName=table, **more)
        items += page["Items"]
        if "LastEvaluatedKey" not in page:
            return by_key(items)
        more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def by_key(items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The items in the order of their keys."""
    plain = [dict(item) for item in items]
    return sorted(plain, key=lambda item: [item.get(n, {}).get("S", "") for n in ("pk", "sk")])


def shown(outcome: Outcome) -> tuple[str, dict[str, Any]]:
    """What has to be alike: codes, items, pages and old items; not the words of a message.

    Why: AWS words some errors differently in its regions. What stands in `ConsumedCapacity` and
    the like was not asked for.
    """
    extra = ("ConsumedCapacity", "ItemCollectionMetrics")
    answer = {name: value for name, value in outcome.answer.items() if name not in extra}
    if "CancellationReasons" in answer:
        answer["CancellationReasons"] = [
            {name: reason[name] for name in ("Code", "Item") if name in reason}
            for reason in answer["CancellationReasons"]
        ]
    return outcome.code, answer
