"""The data folder keeps secrets to itself and belongs to one gateway at a time."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from local.data_folder import DataFolder, FunctionLog, InUseError


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    first = DataFolder(tmp_path).kept({"KEY_PEPPER": lambda: "one"})
    second = DataFolder(tmp_path).kept({"KEY_PEPPER": lambda: "two"})

    assert first == second == {"KEY_PEPPER": "one"}


def test_secrets_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)

    folder.kept({"KEY_PEPPER": lambda: "one"})
    folder.keep("DEV_KEY", "tk_dev_a_b")

    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert folder.find("DEV_KEY") == "tk_dev_a_b"
    assert folder.find("KEY_PEPPER") == "one"
    assert folder.find("OTHER") is None


def test_a_second_gateway_is_told_who_has_the_folder(tmp_path: Path) -> None:
    first, second = DataFolder(tmp_path), DataFolder(tmp_path)
    first.lock(wait_s=0)
    first.describe_holder("http://127.0.0.1:8080")

    with pytest.raises(InUseError, match=r"pid \d+, http://127\.0\.0\.1:8080\. Stop it"):
        second.lock(wait_s=0)

    first.release()


def test_a_folder_that_was_released_can_be_taken(tmp_path: Path) -> None:
    first = DataFolder(tmp_path)
    first.lock(wait_s=0)
    first.release()

    second = DataFolder(tmp_path)
    second.lock(wait_s=0)
    second.release()


def test_a_log_that_is_full_moves_aside_once(tmp_path: Path) -> None:
    log = FunctionLog(tmp_path / "functions.log", max_bytes=10)

    for line in ("first line\n", "second line\n", "third line\n"):
        log.write(line)
    log.close()

    assert (tmp_path / "functions.log").read_text() == "third line\n"
    assert (tmp_path / "functions.log.1").read_text() == "second line\n"


def test_a_log_goes_on_where_the_last_run_ended(tmp_path: Path) -> None:
    for line in ("first\n", "second\n"):
        log = FunctionLog(tmp_path / "functions.log")
        log.write(line)
        log.close()

    assert (tmp_path / "functions.log").read_text() == "first\nsecond\n"
