"""The deployed functions: environments that run one invocation at a time, and what they share."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

from simulation.loop import SECOND_US, Crash, Promise, current
from simulation.network import Network, SimulatedClient
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.errors import BusyError
from tollkeeper.edge import authorization, key_routes, settings, wiring
from tollkeeper.edge.catalog_file import parse_source
from tollkeeper.edge.observability import logger
from tollkeeper.service.keys import Gatehouse
from tollkeeper.service.ports import CardGateway, StripeGateway, World
from tollkeeper.service.topping_up import Till
from tollkeeper.store.api_keys import KeyRing
from tollkeeper.store.ledger import Ledger

ROOT = Path(__file__).parents[1]
TABLE = "tollkeeper-storm"
RETURN_URL = "http://localhost:3000"
TIMEOUT_US = 15 * SECOND_US
# Those that have more, as the template gives it.
TIMEOUTS_US = {"top_up": 110 * SECOND_US}
SECRETS = {
    "STRIPE_WEBHOOK_SECRET": "whsec_storm",
    "KEY_PEPPER": "pepper-of-the-storm",
    "QUOTE_SECRET": "quotes-of-the-storm",
}
ENVIRONMENT = {
    "TABLE_NAME": TABLE,
    "STAGE": "local",
    "CATALOG_PATH": str(ROOT / "layers/catalog/catalog.toml"),
    "POWERTOOLS_SERVICE_NAME": "storm",
    "POWERTOOLS_DEV": "false",
    "RETURN_URLS": "",
}


class SkewedClock:
    """The clock of one environment. Real ones are some seconds off; a broken one, minutes."""

    def __init__(self, network: Network, skew: timedelta) -> None:
        self._network = network
        self._skew = skew

    def now(self) -> datetime:
        """The moment as this environment believes it, in whole milliseconds."""
        now = self._network.loop.now() + self._skew
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def monotonic_s(self) -> float:
        """Seconds that only go forward."""
        return self._network.loop.now_us / SECOND_US

    def pause(self, seconds: float) -> None:
        """Time has passed, and somebody else had a turn."""
        self._network.wait(int(seconds * SECOND_US))


@dataclass
class SeededIds:
    """Randomness that the seed repeats."""

    random: Random

    def new_secret(self) -> str:
        """A secret of 43 characters."""
        return f"{self.random.getrandbits(200):043x}"[:43]

    def fraction(self) -> float:
        """A number from 0 to 1."""
        return self.random.random()


@dataclass
class FaultySecrets:
    """Secrets that now and then cannot be read."""

    network: Network

    def read_secret(self, name: str) -> str:
        """The secret. Raises: BusyError, as the parameter store does through its adapter."""
        self.network.wait(self.network.travel_us())
        if self.network.faults.strikes("secret_unreadable"):
            raise BusyError("The secrets cannot be read now.")
        return SECRETS.get(name, "")


@dataclass
class Invocation:
    """One run of a handler. `answer` is None until it answers, and for ever where it died."""

    number: int
    function: str
    event: dict[str, Any]
    environment: Environment
    ends_us: int
    done: Promise
    answer: dict[str, Any] | None = None
    death: str = ""
    account: str = ""
    partner: str = ""
    wrote: list[str] = field(default_factory=list[str])

    def get_remaining_time_in_millis(self) -> int:
        """What is left of the function's time: it is its own Lambda context, too."""
        return max(0, self.ends_us - self.environment.clock.loop_us()) // 1000

    function_name = "storm"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:storm"
    aws_request_id = "00000000-0000-0000-0000-000000000000"


@dataclass
class Environment:
    """One execution environment: a module of its own, a clock, and what a process keeps."""

    function: str
    module: ModuleType
    world: World
    clock: EnvironmentClock
    is_busy: bool = False


class EnvironmentClock(SkewedClock):
    """A skewed clock that also knows the true time."""

    def loop_us(self) -> int:
        """The true time. Units: microseconds."""
        return self._network.loop.now_us


@lru_cache(maxsize=200)
def load(function: str, number: int) -> ModuleType:
    """The function's module in its nth environment: nothing in it is shared with another's."""
    path = ROOT / "functions" / function / "handler.py"
    spec = importlib.util.spec_from_file_location(f"storm_{function}_{number}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Deployment:
    """All functions of a stack on one table.

    `choose_catalog` says which version of the code and its prices a new environment starts with.
    """

    def __init__(
        self,
        network: Network,
        gateway: StripeGateway,
        cards: CardGateway,
        *,
        choose_catalog: Callable[[], Catalog],
    ) -> None:
        self.network = network
        self.loop = network.loop
        self.gateway = gateway
        self.till = Till(cards, gateway, expects_live=False, return_url=RETURN_URL)
        self.invocations: list[Invocation] = []
        self._choose_catalog = choose_catalog
        self._environments: dict[str, list[Environment]] = {}
        self._random = network.faults.random

    def invoke(self, function: str, event: dict[str, Any]) -> Invocation:
        """The handler runs in a free environment; a new one is started where none is free."""
        environment = self._take(function)
        invocation = Invocation(
            number=len(self.invocations),
            function=function,
            event=event,
            environment=environment,
            ends_us=self.loop.now_us + TIMEOUTS_US.get(function, TIMEOUT_US),
            done=Promise(self.loop),
        )
        self.invocations.append(invocation)
        task = self.loop.spawn(lambda: self._run(invocation))
        task.invocation = invocation
        return invocation

    def _run(self, invocation: Invocation) -> None:
        environment = invocation.environment
        try:
            invocation.answer = environment.module.handler(invocation.event, invocation)
        except Crash as crash:
            invocation.death = str(crash)
            self._environments[environment.function].remove(environment)
        except Exception as error:  # noqa: BLE001 - Lambda answers for whatever a handler raises
            invocation.death = f"raised {error!r}"
        environment.is_busy = False
        invocation.done.keep(invocation)

    def _take(self, function: str) -> Environment:
        environments = self._environments.setdefault(function, [])
        free = [each for each in environments if not each.is_busy]
        if free:
            environment = self._random.choice(free)
        else:
            environment = self._start(function, environments)
            environments.append(environment)
        environment.is_busy = True
        return environment

    def _start(self, function: str, others: list[Environment]) -> Environment:
        taken = {each.module for each in others}
        number = next(n for n in range(1000) if load(function, n) not in taken)
        clock = EnvironmentClock(self.network, self._skew())
        world = World(
            ledger=Ledger(SimulatedClient(self.network), TABLE),
            clock=clock,
            ids=SeededIds(self._random),
            catalog=self._choose_catalog(),
            parse_catalog=parse_source,
            secrets=FaultySecrets(self.network),
        )
        return Environment(function, load(function, number), world, clock)

    def _skew(self) -> timedelta:
        if self.network.faults.strikes("clock_skew", 0.2):
            return timedelta(milliseconds=self._random.randint(-120_000, 120_000))
        return timedelta()

    def restart(self) -> None:
        """Every environment that is free is gone, as after a deployment."""
        for environments in self._environments.values():
            environments[:] = [each for each in environments if each.is_busy]


def _environment() -> Environment:
    return current().invocation.environment


@contextmanager
def deployed(deployment: Deployment) -> Generator[None]:
    """While it lasts, the handlers find this deployment instead of a stack on AWS."""
    secrets = FaultySecrets(deployment.network)
    found: dict[tuple[ModuleType, str], Callable[[], object]] = {
        (wiring, "world"): lambda: _environment().world,
        (wiring, "clock"): lambda: _environment().world.clock,
        (wiring, "ledger"): lambda: _environment().world.ledger,
        (wiring, "stack_secrets"): lambda: secrets,
        (wiring, "stripe_gateway"): lambda: deployment.gateway,
        (wiring, "till"): lambda: deployment.till,
        (authorization, "gatehouse"): lambda: _gatehouse(secrets),
        (key_routes, "gatehouse"): lambda: _gatehouse(secrets),
    }
    kept = {place: getattr(*place) for place in found}
    for (module, name), make in found.items():
        setattr(module, name, make)
    try:
        yield
    finally:
        for (module, name), make in kept.items():
            setattr(module, name, make)


def _gatehouse(secrets: FaultySecrets) -> Gatehouse:
    world = _environment().world
    return Gatehouse(
        keyring=KeyRing(world.ledger),
        clock=world.clock,
        ids=world.ids,
        pepper=secrets.read_secret("KEY_PEPPER"),
        prefix="tk_dev",
    )


def prepare_process(*, is_quiet: bool) -> None:
    """The environment variables that the template would set, and how much is logged."""
    os.environ |= ENVIRONMENT
    settings.read_settings.cache_clear()
    logger().setLevel("CRITICAL" if is_quiet else "ERROR")
