"""What the user sets, and what the functions find in their environment because of it."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from local import run
from local.data_folder import DataFolder
from local.engine import Engine, EngineKind
from local.template import read_template


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a shell in which nothing of ours is set; it comes back afterwards."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "STRIPE_", "TOLL"))]:
        monkeypatch.delenv(name)
    for name in ("PORT", "DATA", "DEV_KEY", "CATALOG_PATH", "TABLE_NAME", "RETURN_URLS"):
        monkeypatch.setenv(name, "")
    changed = dict(os.environ)
    monkeypatch.setattr(os, "environ", changed)


def make_engine(tmp_path: Path) -> Engine:
    kind = EngineKind(
        name="dynoxide",
        command=("/bin/true",),
        environment={},
        health_path="/",
        orphan_signal=signal.SIGKILL,
        stop_grace_s=1.0,
        stored_in=str(tmp_path),
    )
    return Engine(kind=kind, port=8123, data=tmp_path, log=lambda _: None)


def set_environment(tmp_path: Path, *, engine: Engine | None) -> None:
    run.set_environment(
        run.parse_options(["--data", str(tmp_path)]),
        template=read_template(),
        folder=DataFolder(tmp_path),
        engine=engine,
    )


@pytest.mark.usefixtures("environment")
def test_without_a_word_it_serves_port_8080_from_a_folder_here() -> None:
    options = run.parse_options([])

    assert (options.url, options.data) == ("http://127.0.0.1:8080", Path(".local").resolve())
    assert options.dev_key is None


@pytest.mark.usefixtures("environment")
def test_the_variables_of_make_are_heard(tmp_path: Path) -> None:
    os.environ.update({"PORT": "9", "DATA": str(tmp_path), "DEV_KEY": "tk_dev_a_b"})

    options = run.parse_options([])

    assert (options.port, options.data, options.dev_key) == (9, tmp_path, "tk_dev_a_b")


@pytest.mark.usefixtures("environment")
def test_a_port_that_is_no_number_is_said_in_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    os.environ["PORT"] = "many"

    with pytest.raises(SystemExit):
        run.parse_options([])

    assert "invalid int value: 'many'" in capsys.readouterr().err


@pytest.mark.usefixtures("environment")
def test_the_functions_find_everything_that_the_template_and_one_machine_need(
    tmp_path: Path,
) -> None:
    set_environment(tmp_path, engine=make_engine(tmp_path))

    assert os.environ["STAGE"] == "local"
    assert os.environ["SECRETS_PREFIX"] == ""
    assert os.environ["TABLE_NAME"] == run.TABLE_NAME
    assert os.environ["CATALOG_PATH"].endswith("/layers/catalog/catalog.toml")
    assert os.environ["AWS_ENDPOINT_URL_DYNAMODB"] == "http://127.0.0.1:8123"
    assert os.environ["STRIPE_SECRET_KEY"] == "sk_test_local"
    assert os.environ["STRIPE_API_URL"] == "http://127.0.0.1:8080/_stripe"
    assert os.environ["STRIPE_WEBHOOK_SECRET"].startswith("whsec_")
    assert len(os.environ["KEY_PEPPER"]) >= 40
    assert os.environ["AWS_ACCESS_KEY_ID"] == "local"
    for function in read_template().functions.values():
        assert set(function.environment) <= set(os.environ)


@pytest.mark.usefixtures("environment")
def test_the_secrets_are_the_same_at_the_next_start(tmp_path: Path) -> None:
    set_environment(tmp_path, engine=make_engine(tmp_path))
    first = {name: os.environ.pop(name) for name in ("KEY_PEPPER", "STRIPE_WEBHOOK_SECRET")}

    set_environment(tmp_path, engine=make_engine(tmp_path))

    assert {name: os.environ[name] for name in first} == first


@pytest.mark.usefixtures("environment")
def test_what_the_user_sets_goes_first(tmp_path: Path) -> None:
    own = {
        "CATALOG_PATH": "/my/catalog.toml",
        "STRIPE_SECRET_KEY": "sk_test_1",
        "STRIPE_WEBHOOK_SECRET": "whsec_mine",
        "RETURN_URLS": "https://my.example.com",
        "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1",
    }
    os.environ.update(own)

    set_environment(tmp_path, engine=None)

    assert {name: os.environ[name] for name in own} == own
    assert "STRIPE_API_URL" not in os.environ


@pytest.mark.usefixtures("environment")
def test_a_stage_of_the_cloud_never_leaks_into_one_machine(tmp_path: Path) -> None:
    os.environ.update({"STAGE": "prod", "SECRETS_PREFIX": "/tollkeeper/prod/"})

    set_environment(tmp_path, engine=make_engine(tmp_path))

    assert (os.environ["STAGE"], os.environ["SECRETS_PREFIX"]) == ("local", "")


def test_a_stop_twice_in_a_moment_is_one_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers = {number: signal.getsignal(number) for number in (1, 2, 15)}
    ended: list[int] = []
    monkeypatch.setattr(run.os, "_exit", ended.append)
    try:
        signals = run.Signals()
        with pytest.raises(SystemExit):
            signal.raise_signal(signal.SIGTERM)
        signals.begin()
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        signals.wait()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)

    assert ended == []


def test_a_signal_that_another_thread_gets_ends_the_serving_as_well() -> None:
    handlers = {number: signal.getsignal(number) for number in (1, 2, 15)}
    is_over = threading.Event()

    def take() -> None:
        time.sleep(0.2)
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        is_over.wait(30)

    other = threading.Thread(target=take, daemon=True)
    try:
        signals = run.Signals()
        signals.begin()
        other.start()
        signals.wait()
    finally:
        is_over.set()
        for number, handler in handlers.items():
            signal.signal(number, handler)
