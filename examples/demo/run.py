"""`make demo`: the system on this machine and a small chat app that uses it, behind one link.

Every start begins anew, in a folder that goes with it. Ctrl-C ends everything.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import httpx

from examples.demo.characters import BY_ID
from examples.demo.chat import Message, answer, make_ask
from examples.demo.server import App, start
from local.leash import tie_to_parent

ROOT = Path(__file__).resolve().parents[2]
CATALOG = Path(__file__).parent / "catalog.toml"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
# Between two pieces of a reply, so that it is read as it comes.
PAUSE_S = 0.03

# What Jonas has asked before, so that his page has something to show.
ASKED = (
    ("ada", "Why is the order of a sum not important?"),
    ("basil", "What can I cook with leeks?"),
    ("iris", "Three days in Lisbon?"),
    ("ada", "What would a machine make of it?"),
    ("basil", "How do I keep garlic from turning bitter?"),
    ("iris", "Where does the slow train stop?"),
    ("basil", "A dish for six, in half an hour?"),
)


def environment(*, key: str, port: int, app_url: str) -> dict[str, str]:
    """What the system is started with: the demo's catalog, and its page as an app's origin."""
    api = f"http://127.0.0.1:{port}"
    return {
        "CATALOG_PATH": str(CATALOG),
        "CORS_ORIGINS": app_url,
        "DEV_KEY": key,
        "RETURN_URLS": f"{app_url},{api}",
    }


def seed(app: App) -> None:
    """Mina has the 15 credits of the free plan; Jonas has more, and has talked before."""
    body = {"amount": 200, "kind": "promo", "reason": "Welcome to the demo"}
    headers = {"Authorization": f"Bearer {app.key}", "Idempotency-Key": "welcome"}
    url = f"{app.api}/v1/accounts/jonas/grants"
    httpx.post(url, json=body, headers=headers, timeout=10).raise_for_status()
    ask = make_ask(app.tollkeeper, pause_s=0)
    for character, text in ASKED:
        message = Message(to=BY_ID[character], text=text)
        list(answer(app.tollkeeper, ask, "jonas", message))
    app.tollkeeper.account("mina")


def wait_until_ready(api: str, system: subprocess.Popen[bytes]) -> bool:
    """The system answers; False where it ended or took too long."""
    ends = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < ends and system.poll() is None:
        try:
            return httpx.get(f"{api}/healthz", timeout=2).status_code == 200
        except httpx.HTTPError:
            time.sleep(0.1)
    return False


def main(arguments: Sequence[str]) -> int:
    """Serves until a signal comes; then nothing of it runs any more."""
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    if "--ends-with-parent" in arguments:
        tie_to_parent(parent_pid=os.getppid(), signal_number=signal.SIGTERM)
    port = int(os.environ.get("PORT") or "8080")
    api, app_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"
    key = f"tk_dev_{secrets.token_hex(6)}_{secrets.token_hex(16)}"
    with tempfile.TemporaryDirectory(prefix="tollkeeper-demo-") as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            system = subprocess.Popen(
                [sys.executable, "-m", "local.run", "--ends-with-parent"],
                cwd=ROOT,
                env={
                    **os.environ,
                    **environment(key=key, port=port, app_url=app_url),
                    "PORT": str(port),
                    "DATA": folder,
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # A Ctrl-C comes to this process, which then ends the system in its own time.
                start_new_session=True,
            )
        try:
            return _serve(api, app_url, key=key, system=system, log=log, stop=stop)
        finally:
            system.terminate()
            system.wait(STOP_TIMEOUT_S)


def _serve(
    api: str,
    app_url: str,
    *,
    key: str,
    system: subprocess.Popen[bytes],
    log: Path,
    stop: threading.Event,
) -> int:
    if not wait_until_ready(api, system):
        sys.stderr.write(log.read_text(encoding="utf-8", errors="replace"))
        return 1
    app = App(api=api, key=key, live=api.replace("http", "ws", 1), pause_s=PAUSE_S)
    seed(app)
    server = start(app, port=int(app_url.rpartition(":")[2]))
    sys.stdout.write(f"The demo is at {app_url} (Ctrl-C ends it)\n")
    sys.stdout.flush()
    while not stop.is_set() and system.poll() is None:
        stop.wait(0.5)
    server.shutdown()
    app.close()
    return 0 if stop.is_set() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
