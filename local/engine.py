"""The DynamoDB behind the one-machine runtime: a real engine in a process of its own.

Order: the endpoint that the user sets; `dynoxide`, which writes every transaction to disk before
it answers; `ministack` where there is no dynoxide for the platform.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DYNOXIDE_FOLDER = Path(__file__).resolve().parent / "engine" / "node_modules" / "@dynoxide"
MINISTACK_PYTHON = ROOT / ".venv-ministack" / "bin" / "python"
START_TIMEOUT_S = 20.0
# An engine whose gateway died is told so by the kernel on Linux; ministack then saves its state,
# which a second signal might cut short. So it is first left to end by itself.
ORPHAN_STEPS: tuple[tuple[signal.Signals | None, float], ...] = (
    (None, 1.0),
    (signal.SIGTERM, 5.0),
    (signal.SIGKILL, 2.0),
)

Log = Callable[[str], None]


class EngineError(Exception):
    """There is no database engine, or it does not start; the sentence says what to do."""


@dataclass(frozen=True, kw_only=True)
class EngineKind:
    """How one engine is started, asked and stopped.

    Units: `stop_grace_s` is how long a stop may take before the process is killed.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    health_path: str
    orphan_signal: signal.Signals
    stop_grace_s: float
    stored_in: str
    warning: str | None = None


def dynoxide(*, data: Path, port: int) -> EngineKind | None:
    """dynoxide with its file in the data folder; None where npm installed no binary."""
    found = sorted(DYNOXIDE_FOLDER.glob("*/dynoxide"))
    if not found:
        return None
    database = data / "tollkeeper.db"
    serve = ("serve", "--host", "127.0.0.1", "--port", str(port), "--db-path", str(database))
    return EngineKind(
        name="dynoxide",
        command=(str(found[0]), *serve),
        environment={},
        health_path="/",
        orphan_signal=signal.SIGKILL,
        stop_grace_s=2.0,
        stored_in=str(database),
    )


def ministack(*, data: Path, port: int) -> EngineKind | None:
    """ministack with its state in the data folder; None where its environment is not there."""
    if not MINISTACK_PYTHON.exists():
        return None
    state = data / "ministack"
    return EngineKind(
        name="ministack",
        command=(str(MINISTACK_PYTHON), "-m", "ministack"),
        environment={
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "SERVICES": "dynamodb,dynamodbstreams",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(state),
            "TMPDIR": str(data),
            "LOG_LEVEL": "WARNING",
        },
        health_path="/_ministack/health",
        orphan_signal=signal.SIGTERM,
        stop_grace_s=30.0,
        stored_in=str(state),
        warning=(
            "ministack saves only when it is stopped cleanly (Ctrl-C), so a crash of the machine "
            "or kill -9 of the engine loses what was written since the start; and it reads long "
            "partitions slowly. With npm on Linux x64 `make run` uses dynoxide, which does neither."
        ),
    )


def choose(*, data: Path, port: int, wanted: str | None) -> EngineKind:
    """The engine to run: the one that is wanted by name, or else the first that is installed.

    Raises: EngineError where the name is unknown or nothing is installed.
    """
    makers = {"dynoxide": dynoxide, "ministack": ministack}
    if wanted and wanted not in makers:
        raise EngineError(f"TOLLKEEPER_ENGINE={wanted}: the engines are dynoxide and ministack.")
    for name, maker in makers.items():
        kind = maker(data=data, port=port) if wanted in (None, "", name) else None
        if kind is not None:
            return kind
    missing = wanted or "a database engine"
    raise EngineError(f"{missing} is not installed. `make run` installs it; run that once.")


def free_port() -> int:
    """A port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def process_identity(pid: int) -> str | None:
    """A text that only this very process has: its start time; None where it is gone."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]
    command = ["/bin/ps", "-o", "lstart=", "-p", str(pid)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or None


@dataclass(kw_only=True)
class Engine:
    """A running engine, started again whenever its process ends, until `stop` is called."""

    kind: EngineKind
    port: int
    data: Path
    log: Log
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _stopping: threading.Event = field(default_factory=threading.Event, init=False)
    _supervisor: threading.Thread | None = field(default=None, init=False)

    @property
    def endpoint(self) -> str:
        """The URL that boto3 takes as AWS_ENDPOINT_URL_DYNAMODB."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_alive(self) -> bool:
        """Whether the process runs at this moment."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """The engine answers requests; one that a dead gateway left behind is gone.

        Raises: EngineError with the last lines of its log where it does not answer.
        """
        end_orphan(self._pid_file, log=self.log)
        # The kernel ties the engine to the thread that starts it, so that thread has to live
        # as long as the gateway: it is the one that watches and restarts.
        self._supervisor = threading.Thread(target=self._supervise, name="engine", daemon=True)
        self._supervisor.start()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if time.monotonic() > deadline:
                self.stop()
                raise EngineError(f"{self.kind.name} does not answer.\n{self._log_tail()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """The process has ended, cleanly if it could within its grace."""
        self._stopping.set()
        process = self._process
        if process is not None and process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                process.wait(self.kind.stop_grace_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._supervisor is not None:
            self._supervisor.join(5.0)
        self._pid_file.unlink(missing_ok=True)

    @property
    def _pid_file(self) -> Path:
        return self.data / "engine.json"

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", self.kind.health_path)
            return self.is_alive and connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _supervise(self) -> None:
        pause_s = 0.05
        while not self._stopping.is_set():
            began = time.monotonic()
            process = self._spawn()
            if self._stopping.is_set():
                # The stop came between the look above and the process: it never saw it.
                process.kill()
            code = process.wait()
            if self._stopping.is_set():
                return
            self.log(f"{self.kind.name} ended (exit {code}); it is started again")
            pause_s = 0.05 if time.monotonic() - began > 5 else min(pause_s * 2, 5.0)
            self._stopping.wait(pause_s)

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = self.kind.command
        if sys.platform == "linux":
            leash = [str(os.getpid()), str(int(self.kind.orphan_signal))]
            command = (sys.executable, "-I", "-S", str(ROOT / "local/leash.py"), *leash, *command)
        with (self.data / "engine.log").open("ab") as output:
            # A session of its own: Ctrl-C in a terminal goes to the gateway alone, which stops
            # the engine after the last request.
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **self.kind.environment},
                start_new_session=True,
            )
        identity = {"pid": process.pid, "identity": process_identity(process.pid)}
        fresh = self._pid_file.with_suffix(".new")
        fresh.write_text(json.dumps(identity), encoding="utf-8")
        fresh.replace(self._pid_file)
        self._process = process
        return process

    def _log_tail(self) -> str:
        try:
            text = (self.data / "engine.log").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-8:])


def end_orphan(pid_file: Path, *, log: Log) -> None:
    """The engine that the pid file names does not run any more.

    Why: its start time stands beside its pid, so a stranger who has got the same pid since is
    left alone.
    """
    try:
        noted = json.loads(pid_file.read_text(encoding="utf-8"))
        pid, identity = int(noted["pid"]), str(noted["identity"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    for number, patience_s in ORPHAN_STEPS:
        if process_identity(pid) != identity:
            break
        if number is not None:
            log(f"the engine of the last run (pid {pid}) is still there; {number.name}")
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + patience_s
        while process_identity(pid) == identity and time.monotonic() < deadline:
            time.sleep(0.02)
    pid_file.unlink(missing_ok=True)
