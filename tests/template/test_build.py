"""`make build`: the right Python is found, what it compiles is what Lambda loads."""

from __future__ import annotations

import re
import struct
import sys
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path
from textwrap import dedent
from typing import cast

import pytest

from local.build import (
    BUILD_FOLDER,
    BuildError,
    Interpreter,
    check_catalog,
    compile_artifacts,
    find_interpreter,
    pin_parameters,
)
from local.cloudformation import Node, as_list, as_mapping, as_text, parse
from local.deploy_check import FOLDER as CHECK_FOLDER

# Of CPython's Lib/importlib/_bootstrap_external.py: the number that begins a released minor's .pyc.
MAGIC_BY_RUNTIME = {"python3.12": 3531, "python3.13": 3571}
UNCHECKED_HASH = 0b01
THIS_PYTHON = Interpreter(
    runtime=f"python{sys.version_info[0]}.{sys.version_info[1]}", path=Path(sys.executable)
)


def executable(path: Path, *, says: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{says}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def environment(tmp_path: Path) -> dict[str, str]:
    return {"PATH": str(tmp_path / "bin"), "PYENV_ROOT": str(tmp_path / "pyenv")}


class TestTheInterpreter:
    def test_of_the_runtimes_name_on_the_path_is_taken(self, tmp_path: Path) -> None:
        path = executable(tmp_path / "bin/python3.13", says="echo python3.13")

        found = find_interpreter(("python3.13",), environment=environment(tmp_path))

        assert found == Interpreter(runtime="python3.13", path=path)

    def test_that_only_says_it_is_not_chosen_is_passed_over(self, tmp_path: Path) -> None:
        executable(tmp_path / "bin/python3.13", says="echo 'command not found' >&2; exit 127")
        path = executable(tmp_path / "pyenv/versions/3.13.0/bin/python3.13", says="echo python3.13")

        found = find_interpreter(("python3.13",), environment=environment(tmp_path))

        assert found.path == path

    def test_called_python3_is_taken_where_it_is_of_that_minor(self, tmp_path: Path) -> None:
        path = executable(tmp_path / "bin/python3", says="echo python3.13")

        found = find_interpreter(("python3.13",), environment=environment(tmp_path))

        assert found.path == path

    def test_of_the_older_runtime_is_taken_where_the_newer_is_nowhere(self, tmp_path: Path) -> None:
        executable(tmp_path / "bin/python3", says="echo python3.11")
        path = executable(tmp_path / "bin/python3.12", says="echo python3.12")

        found = find_interpreter(("python3.13", "python3.12"), environment=environment(tmp_path))

        assert found == Interpreter(runtime="python3.12", path=path)

    def test_that_is_missing_is_named_in_a_sentence(self, tmp_path: Path) -> None:
        executable(tmp_path / "bin/python3", says="echo python3.11")

        with pytest.raises(BuildError, match=r"python3\.13 or python3\.12 with pip and venv"):
            find_interpreter(("python3.13", "python3.12"), environment=environment(tmp_path))


def test_a_wrong_catalog_stops_the_build_with_file_key_and_reason(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text('[account]\ndefault_plan = "free"\n', "utf-8")

    with pytest.raises(BuildError, match=r"catalog\.toml: plans: .+"):
        check_catalog(path)


def test_a_compiled_module_is_loaded_without_a_look_at_its_source(tmp_path: Path) -> None:
    source = tmp_path / "CoreLayer" / "python" / "tollkeeper_probe.py"
    source.parent.mkdir(parents=True)
    source.write_text("def where():\n    return where.__code__.co_filename\n", encoding="utf-8")

    compile_artifacts(tmp_path, interpreter=THIS_PYTHON)

    compiled = Path(cache_from_source(str(source))).read_bytes()
    assert compiled[:4] == MAGIC_NUMBER
    assert struct.unpack("<I", compiled[4:8])[0] == UNCHECKED_HASH
    assert b"/opt/python/tollkeeper_probe.py" in compiled
    assert str(tmp_path).encode() not in compiled


def test_a_module_that_does_not_compile_stops_the_build(tmp_path: Path) -> None:
    source = tmp_path / "CheckFunction" / "handler.py"
    source.parent.mkdir()
    source.write_text("def handler(:\n", encoding="utf-8")

    with pytest.raises(BuildError, match="failed"):
        compile_artifacts(tmp_path, interpreter=THIS_PYTHON)


def test_the_built_template_has_its_runtime_and_processor_written_in(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    text = """
        Parameters: {PythonRuntime: {Type: String}, Stage: {Type: String}}
        Globals: {Function: {Runtime: !Ref PythonRuntime}}
        Resources:
          A: {Runtimes: [!Ref PythonRuntime], Name: !Sub "${Stage}-a", Stage: !Ref Stage}
    """
    path.write_text(dedent(text), encoding="utf-8")

    pin_parameters(path, {"PythonRuntime": "python3.12"})

    assert parse(path.read_text(encoding="utf-8")) == {
        "Parameters": {"Stage": {"Type": "String"}},
        "Globals": {"Function": {"Runtime": "python3.12"}},
        "Resources": {
            "A": {
                "Runtimes": ["python3.12"],
                "Name": {"Fn::Sub": "${Stage}-a"},
                "Stage": {"Ref": "Stage"},
            }
        },
    }


@pytest.fixture(params=[BUILD_FOLDER, CHECK_FOLDER], ids=["build", "deploy-check"])
def built(request: pytest.FixtureRequest) -> Path:
    """A folder with what the last `make build` or `make deploy-check` built."""
    folder = cast("Path", request.param)
    path = folder / "template.yaml"
    if not path.exists():
        pytest.skip(f"`make {folder.name}` has built nothing here")
    document = parse(path.read_text(encoding="utf-8"))
    if "PythonRuntime" in as_mapping(document["Parameters"], where="Parameters"):
        pytest.skip(f"what is built here was not finished by `make {folder.name}`")
    return folder


def function_defaults(built: Path) -> dict[str, Node]:
    document = parse((built / "template.yaml").read_text(encoding="utf-8"))
    return as_mapping(as_mapping(document["Globals"], where="")["Function"], where="Globals")


def test_every_built_module_is_compiled_for_the_runtimes_minor(built: Path) -> None:
    runtime = as_text(function_defaults(built)["Runtime"], where="Runtime")
    tag = f"cpython-{runtime.removeprefix('python').replace('.', '')}"
    begins = MAGIC_BY_RUNTIME[runtime].to_bytes(2, "little") + b"\r\n"

    sources = sorted(built.rglob("*.py"))

    assert sources
    for source in sources:
        compiled = source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc"
        assert compiled.read_bytes()[:8] == begins + struct.pack("<I", UNCHECKED_HASH), source


def test_built_libraries_fit_the_runtime_and_the_processor(built: Path) -> None:
    defaults = function_defaults(built)
    minor = as_text(defaults["Runtime"], where="").removeprefix("python").replace(".", "")
    (architecture,) = as_list(defaults["Architectures"], where="Architectures")
    processor = {"arm64": "aarch64", "x86_64": "x86_64"}[str(architecture)]

    libraries = [path.name for path in (built / "DepsLayer").rglob("*.so")]

    assert libraries
    for name in libraries:
        assert re.search(rf"\.cpython-{minor}-{processor}-|\.abi3\.", name), name


@pytest.mark.parametrize("layer", ["DepsLayer", "CoreLayer"])
def test_a_built_layer_holds_python_once(built: Path, layer: str) -> None:
    assert [path.name for path in (built / layer).iterdir()] == ["python"]
    assert not (built / layer / "python" / "python").exists()
