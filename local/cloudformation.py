"""A CloudFormation document stands as plain Python values, tags and intrinsics resolved.

Only the intrinsics that template.yaml uses are known. Any other one raises, so that a template
that grows past this reader fails at start and not with a half-read route table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, cast

import yaml

Node: TypeAlias = "bool | int | float | str | list[Node] | dict[str, Node] | None"

_NO_VALUE = object()
_SUBSTITUTION = re.compile(r"\$\{(!?)([A-Za-z0-9:.]+)\}")
_PSEUDO_PARAMETERS = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "000000000000",
    "AWS::StackName": "tollkeeper-local",
    "AWS::URLSuffix": "amazonaws.com",
}


class TemplateError(Exception):
    """The template says something that this reader cannot follow; the message names the place."""


class _Loader(yaml.SafeLoader):
    """A safe YAML loader of its own, so that the tags below are not added to everybody's loader."""


def _construct_tag(loader: _Loader, suffix: str, node: yaml.Node) -> object:
    """`!Ref X` stands as `{"Ref": "X"}`, `!GetAtt A.B` as `{"Fn::GetAtt": ["A", "B"]}`."""
    value: object
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(cast("yaml.MappingNode", node), deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    return {name: value}


_Loader.add_multi_constructor("!", _construct_tag)  # pyright: ignore[reportUnknownMemberType]


def parse(text: str) -> dict[str, Node]:
    """The document's values stand in dicts and lists, short tags written out as intrinsics."""
    document: object = yaml.load(text, Loader=_Loader)
    if not isinstance(document, dict):
        raise TemplateError("the template is not a mapping at its top level")
    return cast("dict[str, Node]", document)


def as_mapping(node: Node, *, where: str) -> dict[str, Node]:
    """The node is a mapping; an absent one counts as empty."""
    if node is None:
        return {}
    if not isinstance(node, dict):
        raise TemplateError(f"{where}: a mapping is needed, found {node!r}")
    return node


def as_list(node: Node, *, where: str) -> list[Node]:
    """The node is a list; an absent one counts as empty."""
    if node is None:
        return []
    if not isinstance(node, list):
        raise TemplateError(f"{where}: a list is needed, found {node!r}")
    return node


def as_text(node: Node, *, where: str) -> str:
    """The node is a scalar that stands as text."""
    if node is None or isinstance(node, (dict, list)):
        raise TemplateError(f"{where}: a text is needed, found {node!r}")
    if isinstance(node, bool):
        return "true" if node else "false"
    return str(node)


def as_whole(node: Node, *, where: str) -> int:
    """The node is a whole number, written as a number or as a parameter's text."""
    text = as_text(node, where=where)
    if not re.fullmatch(r"-?[0-9]+", text):
        raise TemplateError(f"{where}: a whole number is needed, found {node!r}")
    return int(text)


def parameter_values(document: Mapping[str, Node], given: Mapping[str, str]) -> dict[str, Node]:
    """Every parameter has a value: the given one, or else its default.

    Shape: a CommaDelimitedList is a list of texts, everything else one text.
    Raises: TemplateError for a given name that the template does not declare, or no value.
    """
    declared = as_mapping(document.get("Parameters"), where="Parameters")
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise TemplateError(f"Parameters: the template does not declare {', '.join(unknown)}")
    values: dict[str, Node] = {}
    for name, node in declared.items():
        where = f"Parameters.{name}"
        parameter = as_mapping(node, where=where)
        if name not in given and "Default" not in parameter:
            raise TemplateError(f"{where}: no value given and no default")
        text = given[name] if name in given else as_text(parameter["Default"], where=where)
        if parameter.get("Type") == "CommaDelimitedList":
            values[name] = [part.strip() for part in text.split(",") if part.strip()]
        else:
            values[name] = text
    return values


@dataclass(kw_only=True)
class Resolver:
    """Resolves intrinsic functions against parameter values, conditions and resource names.

    Shape: `references` gives what `Ref` of a resource answers; a resource that is not in it
    answers its own logical id, and `GetAtt` answers `<logical id>.<attribute>`.
    """

    parameters: Mapping[str, Node]
    conditions: Mapping[str, Node] = field(default_factory=dict[str, Node])
    references: Mapping[str, str] = field(default_factory=dict[str, str])

    def resolve(self, node: Node) -> Node:
        """The node holds values only: no intrinsic function is left anywhere in it."""
        value = self._value(node)
        return None if value is _NO_VALUE else cast("Node", value)

    def _value(self, node: Node) -> object:
        if isinstance(node, list):
            items = [self._value(item) for item in node]
            return [item for item in items if item is not _NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            name, argument = next(iter(node.items()))
            if name == "Ref" or name.startswith("Fn::"):
                return self._intrinsic(name, argument)
        members = {key: self._value(member) for key, member in node.items()}
        return {key: member for key, member in members.items() if member is not _NO_VALUE}

    def _intrinsic(self, name: str, argument: Node) -> object:
        known: dict[str, Callable[[Node], object]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::If": self._if,
            "Fn::Join": self._join,
            "Fn::Split": self._split,
        }
        if name not in known:
            raise TemplateError(f"{name}: the template reader does not know this function")
        return known[name](argument)

    def _ref(self, argument: Node) -> object:
        name = as_text(argument, where="Ref")
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in self.parameters:
            return self.parameters[name]
        return _PSEUDO_PARAMETERS.get(name) or self.references.get(name, name)

    def _get_att(self, argument: Node) -> Node:
        parts = [as_text(part, where="GetAtt") for part in as_list(argument, where="GetAtt")]
        return ".".join(parts)

    def _sub(self, argument: Node) -> Node:
        pattern, extra = argument, dict[str, Node]()
        if isinstance(argument, list):
            pattern, extra = argument[0], as_mapping(argument[1], where="Sub")

        def replacement(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            value = self._value(extra[name]) if name in extra else self._ref(name)
            return as_text(cast("Node", value), where=f"Sub ${{{name}}}")

        return _SUBSTITUTION.sub(replacement, as_text(pattern, where="Sub"))

    def _join(self, argument: Node) -> Node:
        separator, parts = as_list(argument, where="Join")
        texts = as_list(self.resolve(parts), where="Join")
        return as_text(separator, where="Join").join(as_text(part, where="Join") for part in texts)

    def _split(self, argument: Node) -> Node:
        separator, text = as_list(self.resolve(argument), where="Split")
        parts = as_text(text, where="Split").split(as_text(separator, where="Split"))
        return list[Node](parts)

    def _if(self, argument: Node) -> object:
        condition, when_true, when_false = as_list(argument, where="If")
        name = as_text(condition, where="If")
        if name not in self.conditions:
            raise TemplateError(f"If: there is no condition {name}")
        return self._value(when_true if self.holds(self.conditions[name]) else when_false)

    def holds(self, condition: Node) -> bool:
        """Whether a condition (Equals, Not, And, Or or the name of another one) is true."""
        name, argument = next(iter(as_mapping(condition, where="condition").items()))
        if name == "Condition":
            return self.holds(self.conditions[as_text(argument, where="Condition")])
        parts = as_list(argument, where=name)
        if name == "Fn::Equals":
            left, right = (self.resolve(part) for part in parts)
            return left == right
        if name == "Fn::Not":
            return not self.holds(parts[0])
        if name == "Fn::And":
            return all(self.holds(part) for part in parts)
        if name == "Fn::Or":
            return any(self.holds(part) for part in parts)
        raise TemplateError(f"{name}: the template reader does not know this condition")
