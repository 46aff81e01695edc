"""`python -m local.install`: a database engine is installed, before `local.run` looks for one.

dynoxide comes through npm, which checks the integrity in local/engine/package-lock.json; where
npm or a binary for the platform is missing, ministack comes through pip into .venv-ministack.
`--all` installs ministack beside dynoxide, for the tests of both.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from local.engine import DYNOXIDE_FOLDER, MINISTACK_PYTHON, ROOT

_NPM_FOLDER = DYNOXIDE_FOLDER.parent.parent
_NPM_STAMP = DYNOXIDE_FOLDER.parent / ".package-lock.json"
_REQUIREMENTS = ROOT / "requirements" / "ministack.txt"
_MINISTACK_STAMP = MINISTACK_PYTHON.parent.parent / "installed"


def main(arguments: Sequence[str] = ()) -> int:
    """An engine is there; the exit status says whether."""
    if "--all" in arguments:
        install_dynoxide()
        return 0 if install_ministack() else 1
    wanted = os.environ.get("TOLLKEEPER_ENGINE") or None
    if os.environ.get("AWS_ENDPOINT_URL_DYNAMODB"):
        return 0
    if wanted in (None, "dynoxide") and install_dynoxide():
        return 0
    if wanted == "dynoxide":
        sys.stderr.write("dynoxide cannot be installed here; TOLLKEEPER_ENGINE=ministack can.\n")
        return 1
    return 0 if install_ministack() else 1


def install_dynoxide() -> bool:
    """Whether the locked version is installed and runs on this machine."""
    lock = _NPM_FOLDER / "package-lock.json"
    if _is_newer(_NPM_STAMP, than=lock) and _dynoxide_runs():
        return True
    npm = shutil.which("npm")
    if npm is None:
        sys.stderr.write("There is no npm, so ministack takes the place of dynoxide.\n")
        return False
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=_NPM_FOLDER, check=False, stdout=subprocess.DEVNULL)
    if done.returncode != 0 or not _dynoxide_runs():
        sys.stderr.write("npm has no dynoxide for this machine; ministack takes its place.\n")
        return False
    # npm keeps the time of the package's making on what it installs.
    _NPM_STAMP.touch()
    return True


def install_ministack() -> bool:
    """Whether ministack is installed, at the pinned versions, in its own virtual environment."""
    if _is_newer(_MINISTACK_STAMP, than=_REQUIREMENTS):
        return True
    folder = MINISTACK_PYTHON.parent.parent
    sys.stderr.write(f"Installing ministack into {folder.name} ...\n")
    steps = [
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [str(MINISTACK_PYTHON), "-m", "pip", "install", "--quiet", "-r", str(_REQUIREMENTS)],
    ]
    for command in steps:
        environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        if subprocess.run(command, check=False, env=environment).returncode != 0:
            sys.stderr.write("ministack could not be installed.\n")
            return False
    _MINISTACK_STAMP.touch()
    return True


def _is_newer(stamp: Path, *, than: Path) -> bool:
    return stamp.exists() and stamp.stat().st_mtime >= than.stat().st_mtime


def _dynoxide_runs() -> bool:
    for binary in DYNOXIDE_FOLDER.glob("*/dynoxide"):
        try:
            done = subprocess.run([binary, "--version"], check=False, capture_output=True)
        except OSError:
            return False
        return done.returncode == 0
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
