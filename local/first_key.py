"""The first service key of a stack, made by somebody with AWS credentials.

    python -m local.first_key --table TABLE --pepper-parameter /tollkeeper/dev/KEY_PEPPER

Why: every key is issued by a key; the first one has nobody to issue it.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from typing import Any

import botocore.session

from tollkeeper.edge.routes import SCOPES
from tollkeeper.edge.wiring import SystemClock, SystemIds
from tollkeeper.service.keys import Gatehouse, adopt_key
from tollkeeper.store.api_keys import KeyRing
from tollkeeper.store.client import connect
from tollkeeper.store.ledger import Ledger


def ensure_key(
    key: str | None,
    *,
    table: str | None = None,
    pepper: str | None = None,
    prefix: str = "tk_dev",
) -> str:
    """The key is valid on this table with every scope; a new one is made where none is given.

    Table and pepper are those of the environment unless they are named.
    Raises: UnauthorizedError where the text is no key.
    """
    text = key or f"{prefix}_{secrets.token_hex(6)}_{secrets.token_urlsafe(32)}"
    ring = KeyRing(Ledger(connect(), table or os.environ["TABLE_NAME"]))
    pepper = pepper or os.environ["KEY_PEPPER"]
    house = Gatehouse(ring, SystemClock(), SystemIds(), pepper, prefix)
    adopt_key(house, text, name="first key", scopes=tuple(sorted(SCOPES)))
    return text


def ensure_secret(parameter: str) -> str:
    """The stack's secret from SSM, made there where it does not exist yet."""
    client: Any = botocore.session.get_session().create_client("ssm")
    try:
        answer = client.get_parameter(Name=parameter, WithDecryption=True)
    except client.exceptions.ParameterNotFound:
        value = secrets.token_urlsafe(48)
        client.put_parameter(Name=parameter, Value=value, Type="SecureString")
        return value
    return str(answer["Parameter"]["Value"])


def main(arguments: list[str]) -> int:
    """A key is printed that opens every route of the stack."""
    parser = argparse.ArgumentParser(description="Make the first service key of a stack.")
    parser.add_argument("--table", required=True)
    parser.add_argument("--pepper-parameter", help="SSM name of KEY_PEPPER")
    parser.add_argument("--stage", choices=("dev", "prod", "local"), default="dev")
    asked = parser.parse_args(arguments)
    parameter = asked.pepper_parameter
    pepper = ensure_secret(parameter) if parameter else None
    if parameter:
        ensure_secret(parameter.replace("KEY_PEPPER", "QUOTE_SECRET"))
    prefix = {"prod": "tk_live", "dev": "tk_test", "local": "tk_dev"}[asked.stage]
    key = ensure_key(None, table=asked.table, pepper=pepper, prefix=prefix)
    sys.stdout.write(f"TOLLKEEPER_KEY={key}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
