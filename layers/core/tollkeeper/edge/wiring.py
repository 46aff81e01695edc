"""The one factory: what a function works with, made once per process and only when needed."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import botocore.config
import botocore.session
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as LinkError

from tollkeeper.domain.errors import BusyError
from tollkeeper.edge.catalog_file import parse_source, read_catalog
from tollkeeper.edge.settings import read_environment_secret, read_settings
from tollkeeper.service.ports import Clock, RefundGateway, Secrets, StripeGateway, World
from tollkeeper.store.client import ATTEMPTS, CONNECT_TIMEOUT_S, READ_TIMEOUT_S, connect
from tollkeeper.store.ledger import BUSY_CODES, Ledger

if TYPE_CHECKING:
    from tollkeeper.service.reconciling import Lists
    from tollkeeper.service.topping_up import Till

# Why: the SDK's own default waits a minute, four times as long as a function may run.
PATIENCE = botocore.config.Config(
    connect_timeout=CONNECT_TIMEOUT_S,
    read_timeout=READ_TIMEOUT_S,
    retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
)


class SystemClock:
    """The machine's clock, in whole milliseconds."""

    def now(self) -> datetime:
        """The moment in UTC."""
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def monotonic_s(self) -> float:
        """Seconds that only go forward."""
        return time.monotonic()

    def pause(self, seconds: float) -> None:
        """Time has passed."""
        time.sleep(seconds)


class SystemIds:
    """The machine's randomness."""

    def new_secret(self) -> str:
        """A fresh secret of 43 characters."""
        return secrets.token_urlsafe(32)

    def fraction(self) -> float:
        """A number from 0 to 1."""
        return secrets.randbelow(1_000_000) / 1_000_000


class EnvironmentSecrets:
    """Secrets of one machine: from the environment."""

    def read_secret(self, name: str) -> str:
        """The secret, or an empty text where it is not set."""
        return read_environment_secret(name)


class ParameterSecrets:
    """Secrets of a stack: SSM SecureStrings, each read once per process.

    Why: a rotated secret is picked up by new environments; the webhook keeps several valid.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._read: dict[str, str] = {}

    def read_secret(self, name: str) -> str:
        """The secret, or an empty text where it is not set.

        Raises: BusyError where the store is too busy to answer, so that the caller comes again.
        Cost: one GetParameter, once.
        """
        if name not in self._read:
            session = botocore.session.get_session()
            client: Any = session.create_client("ssm", config=PATIENCE)
            try:
                answer = client.get_parameter(Name=self._prefix + name, WithDecryption=True)
                self._read[name] = str(answer["Parameter"]["Value"])
            except client.exceptions.ParameterNotFound:
                return ""
            except ClientError as error:
                if str(error.response.get("Error", {}).get("Code")) not in BUSY_CODES:
                    raise
                raise BusyError("The secrets cannot be read now.") from error
            except (HTTPClientError, LinkError) as error:
                raise BusyError("The secrets cannot be read now.") from error
        return self._read[name]


@lru_cache(maxsize=1)
def clock() -> Clock:
    """The clock of this process."""
    return SystemClock()


@lru_cache(maxsize=1)
def stack_secrets() -> Secrets:
    """The secrets of this stack."""
    prefix = read_settings().secrets_prefix
    return ParameterSecrets(prefix) if prefix else EnvironmentSecrets()


@lru_cache(maxsize=1)
def ledger() -> Ledger:
    """The table of this stack."""
    return Ledger(connect(), read_settings().table_name)


@lru_cache(maxsize=1)
def world() -> World:
    """What the use cases of this process work with.

    Raises: CatalogError where the catalog is wrong, before any request is answered.
    """
    return World(
        ledger=ledger(),
        clock=clock(),
        ids=SystemIds(),
        catalog=read_catalog(read_settings().catalog_path),
        parse_catalog=parse_source,
        secrets=stack_secrets(),
    )


def stripe_gateway() -> StripeGateway:
    """Stripe's pages. Why: imported here, since only checkout and top_up need them."""
    from tollkeeper.edge.stripe_gateway import choose_gateway

    return choose_gateway(read_settings(), stack_secrets())


def till() -> Till:
    """Saved cards at Stripe, and the pages where their owners confirm a payment.

    Why: imported here, since only top_up needs it.
    """
    from tollkeeper.edge.stripe_cards import choose_cards
    from tollkeeper.service.topping_up import Till

    settings = read_settings()
    origins = settings.return_origins
    return Till(
        cards=choose_cards(settings, stack_secrets()),
        pages=stripe_gateway(),
        expects_live=settings.is_live,
        return_url=origins[0] if origins else "http://localhost:3000",
    )


def refund_gateway() -> RefundGateway:
    """Refunds at Stripe. Why: imported here, since only the refund of a purchase needs it."""
    from tollkeeper.edge.stripe_refunds import choose_refunds

    return choose_refunds(read_settings(), stack_secrets())


def stripe_lists() -> Lists:
    """Stripe's lists. Why: imported here, since only reconcile needs them."""
    from tollkeeper.edge.stripe_lists import choose_lists

    return choose_lists(read_settings(), stack_secrets())
