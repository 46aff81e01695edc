"""Which database engine runs, and what becomes of one that a dead gateway left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local import engine
from local.engine import EngineError, choose, end_orphan, process_identity


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the one where engines are installed; nothing is in it yet."""
    monkeypatch.setattr(engine, "DYNOXIDE_FOLDER", tmp_path / "@dynoxide")
    monkeypatch.setattr(engine, "MINISTACK_PYTHON", tmp_path / "ministack" / "python")
    return tmp_path


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.touch()
    return path


def test_dynoxide_goes_first(installed: Path) -> None:
    binary = touch(installed / "@dynoxide" / "linux-x64" / "dynoxide")
    touch(installed / "ministack" / "python")

    kind = choose(data=installed, port=8000, wanted=None)

    assert kind.name == "dynoxide"
    assert kind.command[0] == str(binary)
    assert kind.command[1:4] == ("serve", "--host", "127.0.0.1")
    assert kind.warning is None


def test_ministack_takes_its_place_and_says_what_it_cannot_do(installed: Path) -> None:
    touch(installed / "ministack" / "python")

    kind = choose(data=installed, port=8000, wanted=None)

    assert kind.name == "ministack"
    assert kind.environment["BIND_HOST"] == "127.0.0.1"
    assert kind.orphan_signal == signal.SIGTERM, "it saves on a clean stop alone"
    assert kind.warning is not None
    assert "saves only when it is stopped cleanly" in kind.warning


def test_the_user_can_force_an_engine(installed: Path) -> None:
    touch(installed / "@dynoxide" / "linux-x64" / "dynoxide")
    touch(installed / "ministack" / "python")

    assert choose(data=installed, port=8000, wanted="ministack").name == "ministack"


@pytest.mark.parametrize("wanted", [None, "dynoxide", "ministack", "moto"])
def test_what_is_not_installed_or_unknown_is_said_in_a_sentence(
    installed: Path, wanted: str | None
) -> None:
    with pytest.raises(EngineError, match=r"is not installed|the engines are"):
        choose(data=installed, port=8000, wanted=wanted)


def start_sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])


def test_an_engine_left_behind_is_ended(tmp_path: Path) -> None:
    sleeper = start_sleeper()
    identity = process_identity(sleeper.pid)
    pid_file = tmp_path / "engine.json"
    pid_file.write_text(json.dumps({"pid": sleeper.pid, "identity": identity}))

    end_orphan(pid_file, log=lambda _: None)

    assert sleeper.wait(10) == -signal.SIGTERM
    assert not pid_file.exists()


def test_a_stranger_who_has_the_pid_since_is_left_alone(tmp_path: Path) -> None:
    sleeper = start_sleeper()
    pid_file = tmp_path / "engine.json"
    pid_file.write_text(json.dumps({"pid": sleeper.pid, "identity": "another start time"}))

    end_orphan(pid_file, log=lambda _: None)

    assert sleeper.poll() is None
    sleeper.kill()
    sleeper.wait(10)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"pid": "x", "identity": "1"}'])
def test_a_pid_file_that_cannot_be_read_ends_nothing(tmp_path: Path, text: str) -> None:
    pid_file = tmp_path / "engine.json"
    pid_file.write_text(text)

    end_orphan(pid_file, log=lambda _: None)


def test_a_process_that_has_ended_has_no_identity() -> None:
    sleeper = start_sleeper()
    assert process_identity(sleeper.pid) is not None

    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert process_identity(sleeper.pid) is None, "a zombie is gone"

    sleeper.wait(10)
    assert process_identity(sleeper.pid) is None
