"""The OpenAPI document is checked in, valid, and what the API really answers."""

import io
import re

import pytest
import yaml
from django.core.management import call_command
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from billing_hierarchy.embedded.folders import project_folder
from invoicing.models import InvoiceLine
from tenancy import database


@pytest.fixture(scope="module")
def described():
    out = io.StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=out)
    return out.getvalue()


@pytest.fixture(scope="module")
def document(described):
    return yaml.safe_load(described)


def test_is_checked_in(described):
    path = project_folder() / "docs" / "openapi.yaml"

    assert path.read_text(encoding="utf-8") == described, (
        "The API changed: `manage.py spectacular --file docs/openapi.yaml`, and look at the diff."
    )


def test_is_served_to_everybody(db, caller, document):
    answer = caller(None).get("/api/v1/openapi.json")

    assert answer.status_code == 200
    assert answer.json() == document
    assert document["openapi"].startswith("3.1")


def test_describes_every_address(document):
    from billing_hierarchy.api_urls import urlpatterns

    routes = [
        str(one.pattern) for one in urlpatterns if str(one.pattern) not in {"", "openapi.json"}
    ]

    assert len(document["paths"]) == len(routes)


def test_names_the_scope_of_every_operation(document):
    for path, methods in document["paths"].items():
        for operation in methods.values():
            scopes = operation["security"][0]["apiKey"]
            assert scopes or path == "/api/v1/me", path


def schema_of(document, path, method="get", status="200"):
    media = document["paths"][path][method]["responses"][status]
    if "$ref" in media:
        media = document["components"]["responses"][media["$ref"].rsplit("/", 1)[1]]
    (content,) = media["content"].values()
    return {**content["schema"], "components": document["components"]}


def fault(schema, body):
    """Return what of an answer the document does not say; unknown members count too."""
    closed = {
        **schema["components"],
        "schemas": {
            name: {**one, "additionalProperties": False} if one.get("properties") else one
            for name, one in schema["components"]["schemas"].items()
        },
    }
    errors = Draft202012Validator({**schema, "components": closed}).iter_errors(body)
    return [f"{error.json_path}: {error.message}" for error in errors]


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/api/v1/me", "/api/v1/me"),
        ("/api/v1/accounts", "/api/v1/accounts"),
        ("/api/v1/accounts/{account}", "/api/v1/accounts/ext:A1"),
        ("/api/v1/accounts/{account}/subtree", "/api/v1/accounts/ext:G/subtree"),
        ("/api/v1/accounts/{account}/settings", "/api/v1/accounts/ext:A1/settings"),
        ("/api/v1/invoices", "/api/v1/invoices"),
        ("/api/v1/invoices/{invoice}", "/api/v1/invoices/{invoice}"),
        ("/api/v1/invoices/{invoice}", "/api/v1/invoices/{invoice}?expand=sections,lines"),
        ("/api/v1/lines/{line}/explanation", "/api/v1/lines/{line}/explanation"),
        ("/api/v1/charges", "/api/v1/charges"),
        ("/api/v1/billing-runs", "/api/v1/billing-runs"),
        ("/api/v1/calendar", "/api/v1/calendar?from=2026-12-01&to=2027-01-31"),
        ("/api/v1/billing-runs/{run}", "/api/v1/billing-runs/{run}"),
    ],
)
@pytest.mark.parametrize("reach", [None, "A1"])
def test_answers_as_described(nordlicht, caller, document, template, path, reach):
    invoice = nordlicht.invoice_of("G")
    with database.scope(nordlicht.id):
        line = InvoiceLine.objects.get(invoice=invoice, section__account=nordlicht.accounts["A1"])
        run = invoice.run.public_id
    filled = path.format(invoice=invoice.public_id, line=line.public_id, run=run)

    answer = caller(nordlicht.key(reach=reach)).get(filled)

    status = str(answer.status_code)
    assert status == "200" or reach
    assert fault(schema_of(document, template, status=status), answer.json()) == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/accounts?cursor=x", 400),
        ("/api/v1/accounts?limit=0", 422),
    ],
)
def test_refuses_as_described(api, document, path, status):
    answer = api.get(path)

    assert answer.status_code == status
    schema = schema_of(document, "/api/v1/accounts", status=str(status))
    assert fault(schema, answer.json()) == []


def test_shows_itself_to_people(db, client, document):
    page = client.get("/developers/api/")
    script = client.get("/developers/api/?script=")

    assert page.status_code == script.status_code == 200
    assert b"swagger-ui" in page.content
    assert script.headers["Content-Type"].startswith("application/javascript")
    assert b"/api/v1/openapi.json" in script.content
    # The policy allows no inline script, so the page may have none.
    assert not re.search(rb"<script>|<style|style=| on[a-z]+=", page.content)
    assert "'unsafe-inline'" not in page.headers["Content-Security-Policy"]
