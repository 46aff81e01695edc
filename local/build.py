"""`make build`: the stack stands in .aws-sam/build, built for its runtime and compiled.

Why: compiled wheels (pydantic-core) and .pyc files fit one minor version of Python, so the build
looks for an interpreter of the runtime's minor that really runs, and says which one it took.
/opt is read-only in Lambda: without .pyc files every cold start compiles every module again.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from local.cloudformation import Node, as_mapping, parse
from local.template import TEMPLATE_PATH, read_template
from tollkeeper.domain.errors import CatalogError
from tollkeeper.edge.catalog_file import read_catalog

ROOT = TEMPLATE_PATH.parent
SAM = ROOT / ".venv-sam" / "bin" / "sam"
CATALOG = ROOT / "layers" / "catalog" / "catalog.toml"
BUILD_FOLDER = ROOT / ".aws-sam" / "build"
CACHE_FOLDER = ROOT / ".aws-sam" / "cache"
FALLBACK_RUNTIME = "python3.12"
ARCHITECTURES = ("arm64", "x86_64")

_PROBE = "import pip, venv, sys; print('python%d.%d' % sys.version_info[:2])"


class BuildError(Exception):
    """The stack cannot be built on this machine; the sentence says what is missing."""


@dataclass(frozen=True, kw_only=True)
class Interpreter:
    """A Python that runs and has pip: the Lambda runtime that it fits, and where it is."""

    runtime: str
    path: Path


def find_interpreter(runtimes: Sequence[str], *, environment: Mapping[str, str]) -> Interpreter:
    """The first interpreter of the first runtime that this machine has one for.

    Shape: `runtimes` are Lambda's names, the best first: ("python3.13", "python3.12").
    Raises: BuildError where there is none for any of them.
    Why: that a file has the right name proves nothing. A version manager puts a script of that
    name on PATH which only says that the version is not chosen, so each one is run.
    """
    for runtime in runtimes:
        for path in _candidates(runtime, environment):
            if path.is_file() and _runtime_of(path) == runtime:
                return Interpreter(runtime=runtime, path=path)
    raise BuildError(
        f"No Python for the Lambda runtime: {' or '.join(runtimes)} with pip and venv is needed "
        "on PATH or under pyenv. Installing one of them is enough."
    )


def _candidates(runtime: str, environment: Mapping[str, str]) -> Iterator[Path]:
    """Where an interpreter may be, the most likely first."""
    folders = [Path(part) for part in environment.get("PATH", "").split(os.pathsep) if part]
    yield from (folder / runtime for folder in folders)
    pyenv = Path(environment.get("PYENV_ROOT") or Path.home() / ".pyenv")
    minor = runtime.removeprefix("python")
    yield from sorted(pyenv.glob(f"versions/{minor}*/bin/{runtime}"), reverse=True)
    yield from (folder / "python3" for folder in folders)


def _runtime_of(path: Path) -> str | None:
    """Which Lambda runtime the interpreter fits; None where it does not run or lacks pip."""
    try:
        answer = subprocess.run(
            [path, "-c", _PROBE], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


def runtime_interpreter() -> Interpreter:
    """The interpreter for the template's runtime, or for the older one where that is missing."""
    preferred = str(read_template().parameters["PythonRuntime"])
    return find_interpreter((preferred, FALLBACK_RUNTIME), environment=os.environ)


def host_architecture() -> str:
    """The Lambda name of this machine's processor."""
    return "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"


def build(*, interpreter: Interpreter, architecture: str, folder: Path = BUILD_FOLDER) -> Path:
    """The folder holds the built stack, compiled and pinned; answers its template's path.

    Raises: BuildError where the catalog is wrong, or SAM or the compiler fails; what these said
    stands on standard error.
    """
    check_catalog(CATALOG)
    values = {"PythonRuntime": interpreter.runtime, "Architecture": architecture}
    environment = {"SAM_CLI_TELEMETRY": "0", **os.environ}
    environment["PATH"] = os.pathsep.join([str(interpreter.path.parent), os.environ["PATH"]])
    # A layer whose source is unchanged comes from the cache; the folder itself is made anew, so
    # that no compiled file of an earlier build can stay in it.
    shutil.rmtree(folder, ignore_errors=True)
    overrides = [f"{name}={value}" for name, value in values.items()]
    folders = ["--build-dir", str(folder), "--cache-dir", str(CACHE_FOLDER)]
    _run([str(SAM), "build", *folders, "--parameter-overrides", *overrides], environment)
    compile_artifacts(folder, interpreter=interpreter)
    pin_parameters(folder / "template.yaml", values)
    return folder / "template.yaml"


def check_catalog(path: Path) -> None:
    """The catalog is one that the functions start with. Raises: BuildError with its reason."""
    try:
        read_catalog(path)
    except CatalogError as error:
        raise BuildError(f"The catalog is wrong. {error}") from None


def compile_artifacts(folder: Path, *, interpreter: Interpreter) -> None:
    """Every module of the built layers and functions has a .pyc beside it that Python just loads.

    Why: an unchecked-hash .pyc is used without looking at the source's time, which packing a zip
    changes. The paths inside are those of Lambda, so that tracebacks name no build machine.
    """
    for artifact in sorted(path for path in folder.iterdir() if path.is_dir()):
        mounted_at = "/opt" if artifact.name.endswith("Layer") else "/var/task"
        paths = ["-s", str(artifact), "-p", mounted_at, str(artifact)]
        mode = ["--invalidation-mode", "unchecked-hash"]
        _run([str(interpreter.path), "-m", "compileall", "-q", "-j", "0", *mode, *paths], None)


def pin_parameters(path: Path, values: Mapping[str, str]) -> None:
    """The built template has these values written in, and no longer the parameters for them.

    Why: a deploy repeats a parameter's previous value unless told otherwise, and would run what
    was built for one Python or processor on another.
    """
    document = parse(path.read_text(encoding="utf-8"))
    parameters = as_mapping(document["Parameters"], where="Parameters")
    document["Parameters"] = {name: node for name, node in parameters.items() if name not in values}
    text = yaml.safe_dump(_with_values(document, values), sort_keys=False, width=100)
    path.write_text(text, encoding="utf-8")


def _with_values(node: Node, values: Mapping[str, str]) -> Node:
    if isinstance(node, list):
        return [_with_values(item, values) for item in node]
    if not isinstance(node, dict):
        return node
    name = node.get("Ref")
    if len(node) == 1 and isinstance(name, str) and name in values:
        return values[name]
    return {key: _with_values(member, values) for key, member in node.items()}


def _run(command: Sequence[str], environment: Mapping[str, str] | None) -> None:
    """The command has succeeded; what it says is shown where it fails, and only there."""
    try:
        answer = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise BuildError(f"{command[0]} is not installed; `make build` installs it.") from error
    if answer.returncode != 0:
        sys.stderr.write(answer.stdout)
        raise BuildError(f"{Path(command[0]).name} {command[1]} failed (exit {answer.returncode}).")


def main(arguments: Sequence[str]) -> int:
    """The stack is built and the exit code 0; or a sentence says why not, and it is 1."""
    parser = argparse.ArgumentParser(prog="python -m local.build", description=__doc__)
    default = str(read_template().parameters["Architecture"])
    parser.add_argument("--architecture", choices=ARCHITECTURES, default=default)
    architecture: str = parser.parse_args(arguments).architecture
    try:
        interpreter = runtime_interpreter()
        sys.stdout.write(
            f"Building for {interpreter.runtime} on {architecture} with {interpreter.path}\n"
        )
        template = build(interpreter=interpreter, architecture=architecture)
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"Built {template.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
