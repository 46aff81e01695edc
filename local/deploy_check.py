"""`make deploy-check`: the built stack is deployed to a stand-in for AWS, and charges there.

SAM itself deploys; the stand-in applies the template as CloudFormation does, runs the functions
with their layers, and lets each do what its role allows and nothing else.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import boto3

from local.build import (
    ROOT,
    SAM,
    BuildError,
    Interpreter,
    build,
    host_architecture,
    runtime_interpreter,
)
from local.deployed import CheckError, Deployed, make_gateway
from local.deployed_checks import CHECKS, WEBHOOK_SECRET
from local.environments import FunctionError
from local.stand_in import StandIn, StandInError, install, log_tail, running
from local.template import Template, read_template

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_ssm import SSMClient

FOLDER = ROOT / ".aws-sam" / "deploy-check"
STACK = "tollkeeper-deploy-check"
STAGE = "dev"
PARAMETERS = {"Stage": STAGE, "LiveUpdates": "off"}
"""Why off: the stand-in's CloudFormation knows no AWS::AppSync::Api. cfn-lint and tests/template
hold those resources, and the gateway of one machine their protocol."""


@contextmanager
def step(name: str) -> Generator[None]:
    """One line says that the step succeeded and how long it took, or that it failed."""
    began = time.monotonic()
    is_done = False
    try:
        yield
        is_done = True
    finally:
        verdict = "ok    " if is_done else "FAILED"
        sys.stdout.write(f"{verdict} {time.monotonic() - began:5.1f} s  {name}\n")
        sys.stdout.flush()


def import_handlers(folder: Path, *, interpreter: Interpreter, template: Template) -> None:
    """Every built handler imports with the built layers and nothing else beside Python itself.

    Raises: CheckError with the traceback.
    Why: the stand-in has packages of its own, which could stand in for one that a layer lacks.
    """
    layers = [str(folder / name / "python") for name in ("CoreLayer", "DepsLayer")]
    for function in template.functions.values():
        paths = [str(folder / function.logical_id), *layers]
        program = f"import sys; sys.path[:0] = {paths!r}; import handler; handler.handler"
        command = [str(interpreter.path), "-I", "-S", "-c", program]
        answer = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            raise CheckError(f"{function.name} does not import:\n{answer.stderr}")


def deploy(template_path: Path) -> dict[str, str]:
    """The built template is a stack; answers its outputs. Raises: CheckError with SAM's words."""
    options = ["--stack-name", STACK, "--resolve-s3", "--capabilities", "CAPABILITY_IAM"]
    command = [str(SAM), "deploy", "--template-file", str(template_path), *options]
    answer = subprocess.run(
        [
            *[*command, "--no-progressbar", "--parameter-overrides"],
            *[f"{name}={value}" for name, value in PARAMETERS.items()],
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        raise CheckError(f"sam deploy failed:\n{answer.stdout[-4000:]}")
    client: CloudFormationClient = boto3.client("cloudformation")  # pyright: ignore[reportUnknownMemberType]
    (stack,) = client.describe_stacks(StackName=STACK)["Stacks"]
    return {
        output.get("OutputKey", ""): output.get("OutputValue", "")
        for output in stack.get("Outputs", [])
    }


def put_webhook_secret() -> None:
    """Stripe's secret is in SSM, as an operator puts it there."""
    client: SSMClient = boto3.client("ssm")  # pyright: ignore[reportUnknownMemberType]
    client.put_parameter(
        Name=f"/tollkeeper/{STAGE}/STRIPE_WEBHOOK_SECRET", Value=WEBHOOK_SECRET, Type="SecureString"
    )


def mount_layers(stand_in: StandIn, outputs: Mapping[str, str]) -> None:
    """Catalog and web components lie where the stand-in's functions look, out of their layers."""
    held = _read_layer(outputs["CheckFunctionName"], "catalog")
    for name in ("catalog.toml", "prices.json"):
        stand_in.catalog.with_name(name).write_bytes(held.read(name))
    _read_layer(outputs["AccountPageFunctionName"], "web").extractall(stand_in.web)


def _read_layer(function: str, layer: str) -> zipfile.ZipFile:
    """What the deployed layer of that name holds, by way of a function that has it."""
    client: LambdaClient = boto3.client("lambda")  # pyright: ignore[reportUnknownMemberType]
    configuration = client.get_function(FunctionName=function)["Configuration"]
    arns = [each.get("Arn", "") for each in configuration.get("Layers", [])]
    (arn,) = [arn for arn in arns if f":layer:{STACK}-{layer}:" in arn]
    location = client.get_layer_version_by_arn(Arn=arn)["Content"].get("Location", "")
    with urlopen(location, timeout=30) as answer:
        return zipfile.ZipFile(io.BytesIO(answer.read()))


def first_key(outputs: Mapping[str, str]) -> str:
    """The stack's first service key, made by the command that an operator runs."""
    pepper = f"/tollkeeper/{STAGE}/KEY_PEPPER"
    options = ["--table", outputs["TableName"], "--stage", STAGE, "--pepper-parameter", pepper]
    answer = subprocess.run(
        [sys.executable, "-m", "local.first_key", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        raise CheckError(f"local.first_key failed:\n{answer.stderr}")
    return answer.stdout.strip().rpartition("=")[2]


def check_stack(stand_in: StandIn, template_path: Path) -> None:
    """The stack is deployed and every kind of event is answered as promised."""
    with step("sam deploy of the built template"):
        outputs = deploy(template_path)
    with step("webhook secret in SSM, catalog and web components out of their layers"):
        put_webhook_secret()
        mount_layers(stand_in, outputs)
    with step("first key"):
        key = first_key(outputs)
    gateway = make_gateway(read_template(parameters=PARAMETERS), outputs)
    stack = Deployed(gateway=gateway, outputs=outputs, key=key)
    for name, check in CHECKS.items():
        with step(name):
            check(stack)


def run() -> None:
    """The whole check. Raises: BuildError, StandInError, CheckError, FunctionError."""
    interpreter = runtime_interpreter()
    architecture = host_architecture()
    with step(f"build for {interpreter.runtime} on {architecture}"):
        path = build(interpreter=interpreter, architecture=architecture, folder=FOLDER)
    with step("every handler imports from its layers alone"):
        import_handlers(FOLDER, interpreter=interpreter, template=read_template())
    with step("ministack is installed"):
        python = install(interpreter)
    with running(python) as stand_in:
        os.environ.clear()
        os.environ.update(stand_in.environment)
        try:
            check_stack(stand_in, path)
        except (CheckError, FunctionError):
            sys.stderr.write(f"The stand-in's log ends:\n{log_tail(stand_in.log)}\n")
            raise


def main() -> int:
    """The exit code is 0 where the deployed stack works, and 1 after a sentence where not."""
    began = time.monotonic()
    try:
        run()
    except (BuildError, StandInError, CheckError, FunctionError) as error:
        sys.stderr.write(f"deploy-check failed: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    sys.stdout.write(f"deploy-check passed in {time.monotonic() - began:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
