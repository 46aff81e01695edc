"""AWS's stand-in for `make deploy-check`: ministack in a process of its own, gone at the end.

Why: it runs functions with the Python that runs itself, and compiled wheels fit one minor, so
its virtual environment is made with the Python that the stack was built for.
"""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.build import ROOT, Interpreter
from local.engine import free_port

REQUIREMENTS = ROOT / "requirements" / "deploy-check.txt"
REGION = "us-east-1"
START_TIMEOUT_S = 30.0
STOP_GRACE_S = 10.0
LOG_LINE_MAX = 400


class StandInError(Exception):
    """ministack could not be installed or does not answer; the sentence says which."""


@dataclass(frozen=True, kw_only=True)
class StandIn:
    """A ministack that answers.

    Shape: `environment` is a whole environment for programs that are to use it instead of AWS;
    `folder` is thrown away at the end, `catalog` is where its functions look for the catalog
    and `web` for the web components.
    """

    environment: Mapping[str, str]
    folder: Path
    log: Path
    catalog: Path
    web: Path


def install(interpreter: Interpreter) -> Path:
    """The Python of ministack's virtual environment, installed for the interpreter if it was not.

    Raises: StandInError where the packages cannot be installed.
    """
    folder = ROOT / f".venv-deploy-check-{interpreter.runtime.removeprefix('python')}"
    python = folder / "bin" / "python"
    stamp = folder / "installed.txt"
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    steps = [
        [str(interpreter.path), "-m", "venv", "--clear", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "-r", str(REQUIREMENTS)],
    ]
    for command in steps:
        if subprocess.run(command, check=False).returncode != 0:
            raise StandInError(f"ministack could not be installed into {folder}.")
    stamp.write_text(wanted, encoding="utf-8")
    return python


@contextmanager
def running(python: Path) -> Generator[StandIn]:
    """A ministack answers on a free port of 127.0.0.1 until the block ends, however it ends.

    Raises: StandInError with the end of its log where it does not answer.
    """
    with tempfile.TemporaryDirectory(prefix="tollkeeper-deploy-check-") as name:
        folder = Path(name)
        port = free_port()
        stand_in = StandIn(
            environment=_client_environment(port),
            folder=folder,
            log=folder / "ministack.log",
            catalog=folder / "catalog.toml",
            web=folder / "web",
        )
        process = _start(python, port=port, stand_in=stand_in)
        try:
            _await_answer(process, port=port, log=stand_in.log)
            yield stand_in
        finally:
            _stop(process)


def _plain_environment() -> dict[str, str]:
    """This process's environment without what would reach another AWS, or other modules."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "PYTHON", "SAM_", "MINISTACK_", "LAMBDA_"))
    }


def _client_environment(port: int) -> dict[str, str]:
    return {
        **_plain_environment(),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "SAM_CLI_TELEMETRY": "0",
    }


def _start(python: Path, *, port: int, stand_in: StandIn) -> subprocess.Popen[bytes]:
    settings = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "TMPDIR": str(stand_in.folder),
        "STATE_DIR": str(stand_in.folder / "state"),
        "S3_DATA_DIR": str(stand_in.folder / "s3"),
        # Functions run under the roles of the template, and IAM decides what these may do.
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        # Its functions find layers in a folder of their own and not under /opt.
        "CATALOG_PATH": str(stand_in.catalog),
        "WEB_PATH": str(stand_in.web),
    }
    leash = [str(ROOT / "local" / "leash.py"), str(os.getpid()), str(int(signal.SIGKILL))]
    with stand_in.log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", *leash, str(python), "-m", "ministack"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**_plain_environment(), **settings},
            start_new_session=True,
        )


def _await_answer(process: subprocess.Popen[bytes], *, port: int, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/_ministack/health")
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        finally:
            connection.close()
    raise StandInError(f"ministack does not answer.\n{log_tail(log)}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """The process and the workers that it started have ended."""
    process.terminate()
    try:
        process.wait(STOP_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def log_tail(log: Path, *, lines: int = 30) -> str:
    """The last lines of a log, long ones cut."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return "\n".join(line[:LOG_LINE_MAX] for line in text.splitlines()[-lines:])
