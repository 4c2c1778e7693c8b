"""A value of the API has exactly one form: nothing is guessed."""

import importlib
from pathlib import Path
from uuid import UUID

import pytest
from rest_framework import serializers

from billing_hierarchy.embedded.folders import project_folder
from invoicing.models import BillingRun
from tenancy.api.reading import type_fault
from tenancy.ids import public_id
from tests.http.api.test_refusals import assert_problem

RUN = {"date": "2026-12-01"}


def runs_of(shop):
    with shop.seen():
        return BillingRun.objects.count()


@pytest.mark.parametrize(
    ("member", "value", "detail"),
    [
        *(
            ("issue", value, "A boolean is expected: true or false.")
            for value in ("yes", "true", "false", 1, 0, "1", "", "on", [], {})
        ),
        *(
            ("date", value, "A date written YYYY-MM-DD is expected.")
            for value in ("2026-1-1", "20261201", "2026-12-01T00:00:00", 20261201, True, None, "")
        ),
        *(("in", value, "A text is expected.") for value in (7, True, ["ext:G"], {"id": 1})),
    ],
)
def test_starts_no_run_on_a_value_of_another_type(nordlicht, caller, member, value, detail):
    before = runs_of(nordlicht)
    answer = caller(nordlicht.secret).post("/api/v1/billing-runs", {**RUN, member: value})

    body = assert_problem(answer, 422, "invalid_body")
    if value is not None:
        assert body["errors"] == [{"pointer": f"/{member}", "code": "invalid", "detail": detail}]
    assert runs_of(nordlicht) == before


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("invoices?limit=5.0", "limit"),
        ("invoices?limit=%205", "limit"),
        ("invoices?limit=%2B5", "limit"),
        ("invoices?limit=%D9%A5", "limit"),
        ("invoices?limit=true", "limit"),
        ("accounts?as_of=2026-1-1", "as_of"),
        ("accounts?as_of=today", "as_of"),
        ("accounts/ext:G/subtree?depth=1e1", "depth"),
    ],
)
def test_reads_parameters_as_strictly(nordlicht, caller, query, name):
    answer = caller(nordlicht.secret).get(f"/api/v1/{query}")

    body = assert_problem(answer, 422, "invalid_parameters")
    assert [(one["pointer"], one["code"]) for one in body["errors"]] == [(f"/{name}", "invalid")]


@pytest.mark.parametrize(
    "query",
    [
        "invoices?in=ext:UNKNOWN",
        "invoices?bill_to=ext:UNKNOWN",
        "invoices?payer=ext:UNKNOWN",
        f"invoices?run={public_id('run', UUID(int=7))}",
        "invoices?status=unknown",
        "invoices?currency=XYZ",
        "charges?in=ext:UNKNOWN",
        "charges?status=unknown",
        "accounts?in=ext:UNKNOWN",
        "accounts?parent=ext:UNKNOWN",
        "accounts?kind=unknown",
        "accounts?status=unknown",
    ],
)
def test_lists_nothing_for_a_filter_that_names_nothing(nordlicht, caller, query):
    answer = caller(nordlicht.secret).get(f"/api/v1/{query}")

    body = assert_problem(answer, 422, "invalid_parameters")
    name = query.partition("?")[2].partition("=")[0]
    assert [one["pointer"] for one in body["errors"]] == [f"/{name}"]


def shapes_that_are_read():
    """Return every shape of parameters and of bodies, by name."""
    found = {}
    for path in sorted(Path(project_folder()).glob("*/serializers/*.py")):
        module = importlib.import_module(f"{path.parts[-3]}.serializers.{path.stem}")
        for name, shape in vars(module).items():
            is_shape = isinstance(shape, type) and issubclass(shape, serializers.Serializer)
            if is_shape and name.endswith(("Parameters", "In")):
                found[name] = shape
    return found


def test_knows_the_form_of_every_field_that_is_read():
    shapes = shapes_that_are_read()

    assert {"RunIn", "InvoiceParameters", "AccountParameters"} <= shapes.keys()
    for shape in shapes.values():
        for field in shape().fields.values():
            type_fault(field, "text", False)
            type_fault(field, "text", True)
