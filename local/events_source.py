"""How the template says that a function reads the table's stream, and which records it takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from local.cloudformation import Node, TemplateError, as_list, as_mapping, as_text, as_whole
from local.template import TABLE_RESOURCE, Template

MAPPING_TYPE = "AWS::Lambda::EventSourceMapping"
MOST_READERS = 2
"""AWS advises against a third reader of a stream: its calls could be throttled."""


@dataclass(frozen=True, kw_only=True)
class StreamSource:
    """One function that reads the table's stream.

    Shape: `function` is its folder; `patterns` are those of the filters, any of which lets a
    record pass. `view_type` is what of an item a record carries. `only_new` begins with what is
    written from now on, else with all that the stream still has.
    """

    function: str
    batch_size: int
    retries: int
    patterns: tuple[Mapping[str, object], ...]
    view_type: str
    only_new: bool = False

    def takes(self, record: Mapping[str, object]) -> bool:
        """The record passes a filter, or there is none."""
        return not self.patterns or any(matches(record, each) for each in self.patterns)


def read_stream_sources(template: Template) -> dict[str, StreamSource]:
    """What reads the table's stream, by its function's folder.

    Raises: TemplateError where more do than a stream bears, or one reads another than the table's.
    """
    found = {
        logical_id: as_mapping(resource.get("Properties"), where=logical_id)
        for logical_id, resource in template.resources.items()
        if resource.get("Type") == MAPPING_TYPE
    }
    if len(found) > MOST_READERS:
        raise TemplateError(f"Resources: a stream has at most {MOST_READERS} {MAPPING_TYPE}")
    sources = [_read_source(template, where, node) for where, node in found.items()]
    return {source.function: source for source in sources}


def _read_source(template: Template, where: str, node: Mapping[str, Node]) -> StreamSource:
    source = as_text(node.get("EventSourceArn"), where=where)
    if source != f"{TABLE_RESOURCE}.StreamArn":
        raise TemplateError(f"{where}: only the table's own stream is known, found {source}")
    names = {function.logical_id: function.name for function in template.functions.values()}
    return StreamSource(
        function=names[as_text(node.get("FunctionName"), where=where)],
        batch_size=as_whole(node.get("BatchSize", 100), where=where),
        retries=as_whole(node.get("MaximumRetryAttempts", 0), where=where),
        patterns=_patterns(node.get("FilterCriteria"), where=where),
        view_type=_view_type(template),
        only_new=node.get("StartingPosition") == "LATEST",
    )


def _patterns(criteria: Node, *, where: str) -> tuple[Mapping[str, object], ...]:
    filters = as_list(as_mapping(criteria, where=where).get("Filters"), where=where)
    texts = [as_text(as_mapping(each, where=where).get("Pattern"), where=where) for each in filters]
    return tuple(cast("dict[str, object]", json.loads(text)) for text in texts)


def _view_type(template: Template) -> str:
    table = as_mapping(template.resources[TABLE_RESOURCE].get("Properties"), where=TABLE_RESOURCE)
    where = f"{TABLE_RESOURCE}.StreamSpecification"
    specification = as_mapping(table.get("StreamSpecification"), where=where)
    return as_text(specification.get("StreamViewType"), where=where)


def matches(value: object, pattern: object) -> bool:
    """The value has all that the pattern asks for.

    Shape of a pattern: a mapping asks of each of its members; a list allows any of its values,
    and `{"prefix": ...}` in it any text that begins so.
    Raises: TemplateError for any other rule. Source: AWS, "Filter rule syntax" of Lambda.
    """
    if isinstance(pattern, dict):
        members = cast("dict[str, object]", value) if isinstance(value, dict) else {}
        rules = cast("dict[str, object]", pattern)
        return all(matches(members.get(name), rule) for name, rule in rules.items())
    if not isinstance(pattern, list):
        raise TemplateError(f"a filter's rule is a mapping or a list, found {pattern!r}")
    return any(_is_one(value, rule) for rule in cast("list[object]", pattern))


def _is_one(value: object, rule: object) -> bool:
    if not isinstance(rule, dict):
        return value == rule
    members = cast("dict[str, object]", rule)
    if set(members) != {"prefix"}:
        raise TemplateError(f"a filter's rule {members} is not known on one machine")
    return isinstance(value, str) and value.startswith(str(members["prefix"]))
