"""A database engine is installed, or its absence is said in a sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from local import install


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which nothing is installed, with a PATH that leads to `bin` alone."""
    npm_folder = tmp_path / "engine"
    (npm_folder / "node_modules").mkdir(parents=True)
    (npm_folder / "package-lock.json").touch()
    (tmp_path / "bin").mkdir()
    monkeypatch.setattr(install, "_NPM_FOLDER", npm_folder)
    monkeypatch.setattr(install, "_NPM_STAMP", npm_folder / "node_modules" / ".package-lock.json")
    monkeypatch.setattr(install, "DYNOXIDE_FOLDER", npm_folder / "node_modules" / "@dynoxide")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for name in ("TOLLKEEPER_ENGINE", "AWS_ENDPOINT_URL_DYNAMODB"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def write_npm(machine: Path, *, makes_binary: bool) -> Path:
    """An npm that notes that it ran, and installs a dynoxide that only knows its version."""
    made = machine / "engine" / "node_modules" / "@dynoxide" / "linux-x64"
    lines = ["#!/bin/sh", f'echo "$@" >> {machine}/npm-calls']
    if makes_binary:
        lines += [
            f"/bin/mkdir -p {made}",
            f"printf '#!/bin/sh\\nexit 0\\n' > {made}/dynoxide",
            f"/bin/chmod +x {made}/dynoxide",
        ]
    npm = machine / "bin" / "npm"
    npm.write_text("\n".join(lines) + "\n")
    npm.chmod(0o755)
    return machine / "npm-calls"


def test_dynoxide_is_installed_once_without_running_scripts(machine: Path) -> None:
    calls = write_npm(machine, makes_binary=True)

    assert install.install_dynoxide()
    assert install.install_dynoxide()

    assert calls.read_text().splitlines() == [
        "ci --ignore-scripts --no-audit --no-fund --loglevel=error"
    ]


def test_a_newer_lock_is_installed_again(machine: Path) -> None:
    calls = write_npm(machine, makes_binary=True)
    assert install.install_dynoxide()

    later = (machine / "engine" / "node_modules" / ".package-lock.json").stat().st_mtime + 10
    os.utime(machine / "engine" / "package-lock.json", (later, later))
    assert install.install_dynoxide()

    assert len(calls.read_text().splitlines()) == 2


def test_without_npm_ministack_takes_its_place(
    machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install, "install_ministack", lambda: True)

    assert install.main() == 0

    assert "no npm" in capsys.readouterr().err


def test_without_a_binary_for_the_machine_ministack_takes_its_place(
    machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_npm(machine, makes_binary=False)
    monkeypatch.setattr(install, "install_ministack", lambda: True)

    assert install.main() == 0

    assert "no dynoxide for this machine" in capsys.readouterr().err


def test_a_forced_engine_that_cannot_be_installed_is_a_failure(
    machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOLLKEEPER_ENGINE", "dynoxide")

    assert install.main() == 1

    assert "cannot be installed here" in capsys.readouterr().err


def test_the_user_s_own_database_needs_no_engine(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = write_npm(machine, makes_binary=True)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:8000")

    assert install.main() == 0

    assert not calls.exists()


def test_all_engines_are_installed_for_the_tests(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = write_npm(machine, makes_binary=True)
    monkeypatch.setattr(install, "install_ministack", lambda: True)

    assert install.main(["--all"]) == 0

    assert len(calls.read_text().splitlines()) == 1


def test_the_lock_pins_integrity_and_names_no_registry() -> None:
    text = (Path(install.__file__).parent / "engine" / "package-lock.json").read_text()

    assert '"integrity": "sha512-' in text
    assert "resolved" not in text
    assert "http" not in text
