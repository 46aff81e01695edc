"""`make run`: the whole API on one machine, from one gateway process and one database engine.

Interface: PORT, DATA and DEV_KEY from the environment or as options; prints TOLLKEEPER_URL and
TOLLKEEPER_KEY; `GET /healthz` answers 200 when ready; Ctrl-C or SIGTERM leaves no process.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, cast

from local import account_link, first_key
from local.account_link import AccountLink
from local.data_folder import (
    DataFolder,
    FunctionLog,
    InUseError,
    new_pepper,
    new_webhook_secret,
)
from local.engine import ROOT, Engine, EngineError, choose, free_port
from local.environments import FunctionError, FunctionPool
from local.events_bus import BUS_PATH, EVENTS_PATH, LocalBus
from local.events_delivery import Delivery, make_deliveries
from local.events_rules import RuleTargets
from local.gateway import SCHEDULES_PATH, Gateway
from local.leash import tie_to_parent
from local.live import site as live
from local.schedules import ScheduleError, Schedules
from local.server import Server
from local.signals import Signals
from local.stripe import serving
from local.stripe.dashboard import PATH as STRIPE_PATH
from local.stripe.desk import Desk
from local.stripe.site import StripeSite
from local.table import TableError, ensure_table
from local.template import TEMPLATE_PATH, Template, TemplateError, read_template
from tollkeeper.domain.errors import CatalogError, UnauthorizedError
from tollkeeper.edge.wiring import world

TABLE_NAME = "tollkeeper-local"
GRACE_S = 10.0
PORT_TIMEOUT_S = 3.0
CONCURRENCY = 32


class StartError(Exception):
    """The gateway cannot start; the sentence says why and what to do."""


_REASONS = (
    CatalogError,
    EngineError,
    InUseError,
    ScheduleError,
    StartError,
    TableError,
    TemplateError,
)


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the user asked for."""

    port: int
    data: Path
    dev_key: str | None
    template: Path
    logs_to_stderr: bool
    ends_with_parent: bool

    @property
    def url(self) -> str:
        """Where the API is served."""
        return f"http://127.0.0.1:{self.port}"


def parse_options(arguments: Sequence[str]) -> Options:
    """Options from the command line, then the environment, then their defaults."""
    parser = argparse.ArgumentParser(prog="python -m local.run", description=__doc__)
    parser.add_argument("--port", type=int, default=os.environ.get("PORT") or "8080")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("DATA") or ".local"))
    parser.add_argument("--template", type=Path, default=TEMPLATE_PATH)
    parser.add_argument("--logs-to-stderr", action="store_true")
    parser.add_argument("--ends-with-parent", action="store_true")
    given = parser.parse_args(arguments)
    return Options(
        port=given.port,
        data=given.data.resolve(),
        dev_key=os.environ.get("DEV_KEY") or None,
        template=given.template.resolve(),
        logs_to_stderr=given.logs_to_stderr or os.environ.get("TOLLKEEPER_LOGS") == "stderr",
        ends_with_parent=given.ends_with_parent,
    )


def log(line: str) -> None:
    """The line stands on standard error, whole."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


def bind(port: int) -> socket.socket:
    """A socket on the loopback port; one that a killed gateway leaves is waited for.

    Raises: StartError where another program keeps the port.
    """
    deadline = time.monotonic() + PORT_TIMEOUT_S
    while True:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            listener.close()
            if not isinstance(error, OSError) or time.monotonic() > deadline:
                raise StartError(
                    f"Port {port} of 127.0.0.1 cannot be used ({error}). "
                    f"Choose another one: make run PORT={port + 1}"
                ) from None
            time.sleep(0.1)
        else:
            return listener


def choose_engine(data: Path) -> Engine | None:
    """The engine to start; None where the user's own endpoint takes its place."""
    if os.environ.get("AWS_ENDPOINT_URL_DYNAMODB"):
        return None
    port = free_port()
    kind = choose(data=data, port=port, wanted=os.environ.get("TOLLKEEPER_ENGINE") or None)
    return Engine(kind=kind, port=port, data=data, log=log)


def set_environment(
    options: Options, *, template: Template, folder: DataFolder, engine: Engine | None
) -> None:
    """The functions' environment stands in os.environ; what the user set goes first.

    Why: one process has one environment. The template's own variables give the rest, so a new
    setting of the stack reaches the local functions without a second list.
    """
    kept = folder.kept(
        {
            "KEY_PEPPER": new_pepper,
            "QUOTE_SECRET": new_pepper,
            "STRIPE_WEBHOOK_SECRET": new_webhook_secret,
        }
    )
    local_origins = [f"http://{name}" for name in ("localhost:3000", "127.0.0.1:3000")]
    defaults = {
        **kept,
        "TABLE_NAME": TABLE_NAME,
        "CATALOG_PATH": str(ROOT / "layers" / "catalog" / "catalog.toml"),
        "WEB_PATH": str(ROOT / "clients" / "web" / "modules"),
        "RETURN_URLS": ",".join([options.url, f"http://localhost:{options.port}", *local_origins]),
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
    }
    # The functions' own client puts events; the bus that it reaches is the gateway's.
    defaults["AWS_ENDPOINT_URL_EVENTBRIDGE"] = options.url + BUS_PATH
    defaults |= serving.defaults(options.url) | live.defaults(template, options.url)
    for function in template.functions.values():
        for name, value in function.environment.items():
            defaults.setdefault(name, value)
    for name, value in defaults.items():
        if not os.environ.get(name):
            os.environ[name] = value
    if os.environ.get("TOLLKEEPER_EVENTS") == "off":
        os.environ["EVENT_BUS_NAME"] = ""
    os.environ["STAGE"] = "local"
    # Locally the secrets are in the environment; an empty prefix says so.
    os.environ["SECRETS_PREFIX"] = ""
    if engine is not None:
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = engine.endpoint
        # A profile that this machine does not have would stop every client at its making.
        os.environ.pop("AWS_PROFILE", None)


def ensure_key(options: Options, folder: DataFolder) -> str:
    """The service key that the user calls the API with; the folder keeps it.

    Raises: StartError where what the user gave has not the form of a key.
    """
    try:
        key = first_key.ensure_key(options.dev_key or folder.find("DEV_KEY"))
    except UnauthorizedError as error:
        raise StartError(f"DEV_KEY: {error}") from None
    folder.keep("DEV_KEY", key)
    return key


def redirect_function_logs(options: Options) -> TextIO:
    """What functions print goes to their log from now on; the answer is the real stdout.

    Why: Powertools takes sys.stdout when a function is loaded, so this comes before that.
    """
    stdout = sys.stdout
    stream = sys.stderr if options.logs_to_stderr else FunctionLog(options.data / "functions.log")
    sys.stdout = cast("TextIO", stream)
    return stdout


def make_gateway(
    options: Options, *, template: Template, engine: Engine | None, stripe: Desk | None, key: str
) -> Gateway:
    """The gateway with its functions loaded once each, so that none fails at its first event.

    Raises: StartError where a function has no handler; what importing one raises.
    """
    limit = int(os.environ.get("TOLLKEEPER_CONCURRENCY") or CONCURRENCY)
    folder = options.template.parent / "functions"
    pools = {
        name: FunctionPool(function, code=folder / name, limit=limit, log=sys.stdout)
        for name, function in template.functions.items()
    }
    for pool in pools.values():
        try:
            pool.warm()
        except FunctionError as error:
            raise StartError(error.message) from None

    def invoke(name: str, event: Mapping[str, object]) -> object:
        return pools[name].invoke(event)

    schedules = Schedules(template.schedules, invoke=invoke, log=log)
    bus = LocalBus(log=log, reach=RuleTargets(template.rules, pools=pools, log=log).reach)
    link = AccountLink()
    gateway = Gateway(
        template,
        pools=pools,
        schedules=schedules,
        log=log,
        is_ready=lambda: engine is None or engine.is_alive,
        sites=(bus, link) if stripe is None else (bus, link, StripeSite(stripe, log=log)),
        live=live.make_site(template, url=options.url, invoke=invoke),
    )
    link.open(gateway.respond, key=key)
    return gateway


def find_deliveries(
    options: Options, *, template: Template, gateway: Gateway
) -> tuple[Delivery, ...]:
    """What takes the table's stream to its functions, unless the user turned events off."""
    if os.environ.get("TOLLKEEPER_EVENTS") == "off":
        return ()
    table = os.environ["TABLE_NAME"]
    return make_deliveries(
        template, table=table, folder=options.data, invoke=gateway.invoke, log=log
    )


def banner(options: Options, *, template: Template, engine: Engine | None, key: str) -> str:
    """What serves where, and the two lines that scripts read."""
    database = os.environ["AWS_ENDPOINT_URL_DYNAMODB"]
    if engine is not None:
        database = f"{engine.kind.name} on {database}, kept in {_shown(engine.kind.stored_in)}"
    stripe = "Stripe, with your STRIPE_SECRET_KEY"
    if serving.is_simulated():
        stripe = f"{options.url}{STRIPE_PATH} (a simulated Stripe: buy, refund, dispute, renew)"
    logs = "on standard error" if options.logs_to_stderr else _shown(options.data / "functions.log")
    lines = [
        "Tollkeeper on one machine (Ctrl-C stops it)",
        f"  API        {options.url}  {len(template.routes)} routes of template.yaml",
        f"  database   {database}",
        f"  catalog    {_shown(os.environ['CATALOG_PATH'])}",
        f"  payments   {stripe}",
        f"  page       {options.url}{account_link.PATH}user_1 (what user_1 sees)",
        f"  operators  {options.url}/operator",
        f"  functions  log to {logs}" if not options.logs_to_stderr else f"  functions  log {logs}",
    ]
    if os.environ.get("TOLLKEEPER_EVENTS") != "off":
        lines.append(f"  events     {options.url}{EVENTS_PATH}?after=0, and a line here for each")
    for schedule in template.schedules:
        function = template.functions[schedule.function].logical_id
        event = "" if schedule.event is None else f" -d '{json.dumps(dict(schedule.event))}'"
        now = f"now: curl -X POST{event} {options.url}{SCHEDULES_PATH}{function}"
        lines.append(f"  schedule   {schedule.function} {schedule.expression}, {now}")
    if engine is not None and engine.kind.warning:
        lines.append(f"  warning    {engine.kind.warning}")
    return "\n".join([*lines, f"TOLLKEEPER_URL={options.url}", f"TOLLKEEPER_KEY={key}", ""])


def _shown(path: Path | str) -> str:
    with contextlib.suppress(ValueError):
        return str(Path(path).relative_to(Path.cwd()))
    return str(path)


def serve(options: Options, *, signals: Signals) -> None:
    """The API is served until a signal comes; then nothing of it runs any more.

    Raises: one of the errors above, with a sentence, before it serves.
    """
    template = read_template(options.template, parameters=_parameters())
    folder = DataFolder(options.data)
    with contextlib.ExitStack() as stack:
        folder.lock(log=log)
        stack.callback(folder.release)
        listener = bind(options.port)
        stack.callback(listener.close)
        engine = choose_engine(options.data)
        if engine is not None:
            stack.callback(engine.stop)
            engine.start()
        set_environment(options, template=template, folder=folder, engine=engine)
        stdout = redirect_function_logs(options)
        # What every function works with is made here once: a wrong catalog ends the start.
        catalog = world().catalog
        ensure_table(template, name=os.environ["TABLE_NAME"])
        key = ensure_key(options, folder)
        stripe = serving.make_desk(url=options.url, folder=options.data, catalog=catalog, log=log)
        gateway = make_gateway(options, template=template, engine=engine, stripe=stripe, key=key)
        deliveries = find_deliveries(options, template=template, gateway=gateway)
        signals.begin()
        server = Server(listener, respond=gateway.respond, upgrade=gateway.upgrade, log=log)
        folder.describe_holder(options.url)
        # Who reads these lines can connect, and who gets an answer can read these lines.
        stdout.write(banner(options, template=template, engine=engine, key=key))
        stdout.flush()
        for delivery in deliveries:
            delivery.start()
        server.start()
        gateway.schedules.start()
        if stripe is not None:
            stripe.start(gateway.post_webhook)
        signals.wait()
        if stripe is not None:
            stripe.stop()
        gateway.schedules.stop()
        for delivery in deliveries:
            delivery.stop()
        if not server.stop(grace_s=GRACE_S):
            log("some requests were still under way after ten seconds; they are cut off")


def _parameters() -> dict[str, str] | None:
    """The template's parameters that the user may set: origins for CORS, live updates off."""
    names = {"CORS_ORIGINS": "CorsOrigins", "LIVE_UPDATES": "LiveUpdates"}
    return {name: os.environ[key] for key, name in names.items() if os.environ.get(key)}


def main(arguments: Sequence[str]) -> int:
    """Serves until a signal comes; the exit status says whether it could start."""
    options = parse_options(arguments)
    parent_pid = os.getppid()
    if options.ends_with_parent and not tie_to_parent(
        parent_pid=parent_pid, signal_number=signal.SIGTERM
    ):
        return 1
    try:
        serve(options, signals=Signals())
    except _REASONS as error:
        log(f"Tollkeeper does not start. {error}")
        return 1
    return 0


if __name__ == "__main__":
    status = main(sys.argv[1:])
    # The ordinary end of an interpreter can hang on a thread that writes to a log at that moment.
    # Everything that has to be closed is closed by now.
    os._exit(status)
