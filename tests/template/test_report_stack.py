"""The stack's reports: what the fold may do, when it runs, and who hears that it is behind."""

from __future__ import annotations

from datetime import UTC, datetime

from local.cloudformation import as_list, as_mapping, as_text
from local.schedules import next_run_at
from local.template import table_definition
from tests.template.test_stack import TEMPLATE, of_type, properties, statements, texts
from tollkeeper.domain.reports import SETTLING, day_over_at
from tollkeeper.edge.observability import NAMESPACE
from tollkeeper.edge.report_routes import METRICS
from tollkeeper.service.folding import INDEX_LAG


def test_the_index_of_lists_projects_what_no_charge_changes() -> None:
    definition = table_definition(TEMPLATE, name="any")
    indexes = {index["IndexName"]: index for index in definition.get("GlobalSecondaryIndexes", [])}
    lists = indexes["lists"]

    assert [key["AttributeName"] for key in lists["KeySchema"]] == ["due_shard", "pk"]
    assert lists["Projection"].get("NonKeyAttributes") == ["totals"]


def test_the_fold_writes_reports_and_nothing_of_an_account() -> None:
    (writing,) = [s for s in statements("report") if "dynamodb:PutItem" in texts(s["Action"])]

    assert texts(writing["Action"]) == ["dynamodb:PutItem"]
    assert writing["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["R"]}}


def test_a_day_that_is_over_is_checked_by_one_run_and_folded_for_good_by_the_next() -> None:
    (expression,) = [s.expression for s in TEMPLATE.schedules if s.function == "report"]
    over_at = day_over_at(datetime(2026, 11, 20, tzinfo=UTC).date())

    checked_at = next_run_at(expression, after=over_at + SETTLING)
    folded_at = next_run_at(expression, after=checked_at + INDEX_LAG)

    assert (folded_at - over_at).total_seconds() <= 3 * 3600


def test_the_alarm_on_reports_names_a_metric_that_is_counted() -> None:
    dimension = {"Name": "function_name", "Value": "ReportFunction"}
    (alarm,) = [
        each
        for each in of_type("AWS::CloudWatch::Alarm").values()
        if as_list(each["Dimensions"], where="") == [dimension]
    ]

    assert as_text(alarm["MetricName"], where="") in METRICS
    assert (alarm["Namespace"], alarm["Statistic"]) == (NAMESPACE, "Minimum")


def test_a_second_stack_may_have_a_fold_of_its_own() -> None:
    (event,) = as_mapping(properties("ReportFunction")["Events"], where="").values()

    assert as_mapping(as_mapping(event, where="")["Properties"], where="")["OmitName"] is True
