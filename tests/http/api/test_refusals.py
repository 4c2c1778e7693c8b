"""The API refuses with problems (RFC 9457), never with a 500, and tells strangers nothing."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import ApiKey
from invoicing.models import InvoiceLine
from tenancy import database
from tenancy.ids import public_id, uuid7

MEMBERS = {
    "type",
    "title",
    "status",
    "detail",
    "code",
    "instance",
    "request_id",
    "errors",
}


def assert_problem(answer, status, code):
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == MEMBERS
    assert (body["status"], body["code"]) == (status, code), body
    assert body["request_id"] == answer.headers["X-Request-Id"]
    return body


GETS = [
    "/api/v1/me",
    "/api/v1/accounts",
    "/api/v1/accounts/ext:G",
    "/api/v1/accounts/ext:G/subtree",
    "/api/v1/accounts/ext:G/settings",
    "/api/v1/invoices",
    "/api/v1/charges",
    "/api/v1/billing-runs",
]


# -- who asks --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", GETS)
def test_asks_for_a_key(nordlicht, caller, path):
    answer = caller(None).get(path)

    assert_problem(answer, 401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer sk_test_unknown",
        "Bearer sk_test_" + "x" * 5_000,
        "Bearer \u00e4\u00f6",
        "Bearer",
        "Bearer sk_test_a sk_test_b",
        "Basic c2s6",
        "sk_test_unknown",
        "Bearer ' OR 1=1 --",
    ],
)
def test_knows_no_other_credentials(nordlicht, caller, authorization):
    answer = caller(None).get("/api/v1/me", Authorization=authorization)

    assert_problem(answer, 401, "invalid_key")


@pytest.mark.parametrize(
    "values",
    [
        {"expires_at": datetime.now(UTC) - timedelta(seconds=1)},
        {"revoked_at": datetime.now(UTC) - timedelta(seconds=1)},
    ],
    ids=["expired", "revoked"],
)
def test_refuses_a_key_that_has_ended(nordlicht, caller, values):
    answer = caller(nordlicht.key(**values)).get("/api/v1/me")

    assert_problem(answer, 401, "invalid_key")


def test_takes_a_key_until_it_expires(nordlicht, caller):
    secret = nordlicht.key(expires_at=datetime.now(UTC) + timedelta(hours=1))

    assert caller(secret).get("/api/v1/me").status_code == 200


def test_knows_no_key_by_its_digest(nordlicht, caller):
    with database.scope(nordlicht.id):
        digest = ApiKey.objects.get().digest

    assert_problem(caller(f"sk_{digest}").get("/api/v1/me"), 401, "invalid_key")


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/api/v1/accounts", "accounts:read"),
        ("/api/v1/accounts/ext:G", "accounts:read"),
        ("/api/v1/accounts/ext:G/subtree", "accounts:read"),
        ("/api/v1/accounts/ext:G/settings", "settings:read"),
        ("/api/v1/invoices", "invoices:read"),
        ("/api/v1/charges", "invoices:read"),
        ("/api/v1/billing-runs", "billing_runs:read"),
    ],
)
def test_needs_the_scope(nordlicht, caller, path, scope):
    with_it, without_it = (
        caller(nordlicht.key(scopes=[scope])),
        caller(nordlicht.key(scopes={"prices:write", "people:write"})),
    )

    assert with_it.get(path).status_code == 200
    body = assert_problem(without_it.get(path), 403, "scope_missing")
    assert scope in body["detail"]


def test_starts_no_run_without_the_scope(nordlicht, caller):
    reader = caller(nordlicht.key(scopes=["billing_runs:read"]))

    assert_problem(
        reader.post("/api/v1/billing-runs", {"date": "2026-12-01"}), 403, "scope_missing"
    )


def test_issues_nothing_without_the_scope(nordlicht, caller):
    starter = caller(nordlicht.key(scopes=["billing_runs:write"]))

    answer = starter.post("/api/v1/billing-runs", {"date": "2026-12-01", "issue": True})

    assert_problem(answer, 403, "forbidden")


def test_shows_runs_to_nobody_with_a_reach(nordlicht, caller):
    limited = caller(nordlicht.key(reach="A"))

    assert_problem(limited.get("/api/v1/billing-runs"), 403, "forbidden")
    assert_problem(limited.post("/api/v1/billing-runs", {"date": "2026-12-01"}), 403, "forbidden")


# -- what cannot be seen ---------------------------------------------------------------------


def paths_to_what_is_of(vendor):
    """Yield the address of everything that has one, with its id in place of ``{}``."""
    invoice = vendor.invoice_of("G")
    with database.scope(vendor.id):
        line = InvoiceLine.objects.filter(invoice=invoice).first()
    account, run_id = vendor.accounts["G"], invoice.run_id
    yield "/api/v1/accounts/{}", "acc", account.id
    yield "/api/v1/accounts/{}/subtree", "acc", account.id
    yield "/api/v1/accounts/{}/settings", "acc", account.id
    yield "/api/v1/invoices/{}", "inv", invoice.id
    yield "/api/v1/invoices/{}?expand=lines", "inv", invoice.id
    yield "/api/v1/invoices/{}/pdf", "inv", invoice.id
    yield "/api/v1/lines/{}/explanation", "lin", line.id
    yield "/api/v1/billing-runs/{}", "run", run_id


def test_tells_another_vendors_ids_from_no_ids_in_nothing(nordlicht, andere, caller):
    stranger = caller(nordlicht.secret)
    for path, prefix, key in paths_to_what_is_of(andere):
        theirs, nobodys = public_id(prefix, key), public_id(prefix, uuid7())
        seen = stranger.get(path.format(theirs))
        unseen = stranger.get(path.format(nobodys))

        body, other = assert_problem(seen, 404, "not_found"), unseen.json()
        for one in (body, other):
            del one["instance"], one["request_id"]
        assert body == other, path
        assert seen.status_code == unseen.status_code
        if not path.endswith("/pdf"):
            assert caller(andere.secret).get(path.format(theirs)).status_code == 200, path


@pytest.mark.parametrize("name", ["in", "bill_to", "payer", "run"])
def test_tells_another_vendors_ids_from_no_ids_in_filters(nordlicht, andere, api, name):
    theirs = {
        "run": public_id("run", andere.invoice_of("G").run_id),
    }.get(name, andere.accounts["G"].public_id)
    nobodys = public_id(theirs[:3], uuid7())

    bodies = [api.get(f"/api/v1/invoices?{name}={one}").json() for one in (theirs, nobodys)]

    for body in bodies:
        body.pop("request_id", None)
    assert bodies[0] == bodies[1]


def test_finds_the_own_account_by_an_external_id_that_both_have(nordlicht, andere, api):
    answer = api.get("/api/v1/accounts/ext:G")

    assert answer.json()["id"] == nordlicht.accounts["G"].public_id


@pytest.mark.parametrize("out_of_reach", ["G", "B", "S"])
def test_shows_nothing_above_or_beside_the_reach(nordlicht, caller, out_of_reach):
    limited = caller(nordlicht.key(reach="A"))
    for path in ("", "/subtree", "/settings"):
        answer = limited.get(f"/api/v1/accounts/ext:{out_of_reach}{path}")

        assert_problem(answer, 404, "not_found")


def test_shows_only_the_subtree_in_reach(nordlicht, caller):
    limited = caller(nordlicht.key(reach="A"))

    names = [row["external_id"] for row in limited.get("/api/v1/accounts").json()["data"]]
    top = limited.get("/api/v1/accounts/ext:A").json()

    assert sorted(names) == ["A", "A1"]
    assert top["parent"] is None
    assert [step["name"] for step in top["path"]] == ["Nordhafen Spedition"]


# -- what cannot be read ---------------------------------------------------------------------

BAD_PARAMETERS = [
    ("/api/v1/accounts?limit=0", "/limit", "min_value"),
    ("/api/v1/accounts?limit=-1", "/limit", "min_value"),
    ("/api/v1/accounts?limit=201", "/limit", "max_value"),
    ("/api/v1/accounts?limit=1000000000", "/limit", "max_value"),
    ("/api/v1/accounts?limit=" + "9" * 5_000, "/limit", "max_string_length"),
    ("/api/v1/accounts?limit=ten", "/limit", "invalid"),
    ("/api/v1/accounts?limit=1.5", "/limit", "invalid"),
    ("/api/v1/accounts?limit=", "/limit", "blank"),
    ("/api/v1/accounts?in=", "/in", "blank"),
    ("/api/v1/accounts?q", "/q", "blank"),
    ("/api/v1/accounts?limit=1&limit=2", "/limit", "doubled_parameter"),
    ("/api/v1/accounts?colour=red", "/colour", "unknown_name"),
    ("/api/v1/accounts?a/b~c=1", "/a~1b~0c", "unknown_name"),
    ("/api/v1/accounts?kind=planet", "/kind", "invalid_choice"),
    ("/api/v1/accounts?status=open", "/status", "invalid_choice"),
    ("/api/v1/accounts?in=nonsense", "/in", "not_found"),
    ("/api/v1/accounts?in=ext:nobody", "/in", "not_found"),
    ("/api/v1/accounts?in=acc_zzzzzzzzzzzzzzzzzzzzzzzzzz", "/in", "not_found"),
    ("/api/v1/accounts?in=" + "x" * 251, "/in", "max_length"),
    ("/api/v1/accounts?in=a%00b", "/in", "null_characters_not_allowed"),
    ("/api/v1/accounts?parent=ext:nobody", "/parent", "not_found"),
    ("/api/v1/accounts?q=%00", "/q", "null_characters_not_allowed"),
    ("/api/v1/accounts?q=" + "x" * 201, "/q", "max_length"),
    ("/api/v1/accounts?as_of=today", "/as_of", "invalid"),
    ("/api/v1/accounts?as_of=2026-02-30", "/as_of", "invalid"),
    ("/api/v1/accounts?as_of=20260201", "/as_of", "invalid"),
    ("/api/v1/accounts?as_of=2026-02-01T00:00:00Z", "/as_of", "invalid"),
    ("/api/v1/accounts/ext:G?expand=all", "/expand", "unknown_name"),
    ("/api/v1/accounts/ext:G/subtree?depth=-1", "/depth", "min_value"),
    ("/api/v1/accounts/ext:G/subtree?depth=1e3", "/depth", "invalid"),
    ("/api/v1/accounts/ext:G/settings?as_of=0000-01-01", "/as_of", "invalid"),
    ("/api/v1/invoices?status=late", "/status", "invalid_choice"),
    ("/api/v1/invoices?currency=EURO", "/currency", "max_length"),
    ("/api/v1/invoices?currency=XXX", "/currency", "unknown_currency"),
    ("/api/v1/invoices?run=acc_00000000000000000000000000", "/run", "not_found"),
    ("/api/v1/invoices?payer=none", "/payer", "not_found"),
    ("/api/v1/charges?status=paid", "/status", "invalid_choice"),
    ("/api/v1/billing-runs?date=2026-12-01", "/date", "unknown_name"),
]


@pytest.mark.parametrize(("path", "pointer", "code"), BAD_PARAMETERS)
def test_names_the_parameter_that_is_wrong(api, path, pointer, code):
    body = assert_problem(api.get(path), 422, "invalid_parameters")

    assert (pointer, code) in [(one["pointer"], one["code"]) for one in body["errors"]]


def test_names_every_parameter_that_is_wrong(api):
    body = api.get("/api/v1/accounts?limit=0&kind=planet&colour=red").json()

    assert {one["pointer"] for one in body["errors"]} == {"/limit", "/kind", "/colour"}


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/accounts/nonsense",
        "/api/v1/accounts/acc_",
        "/api/v1/accounts/acc_iiiiiiiiiiiiiiiiiiiiiiiiii",
        "/api/v1/accounts/inv_00000000000000000000000000",
        "/api/v1/accounts/ext:",
        "/api/v1/accounts/ext:%00",
        "/api/v1/accounts/a%00b",
        "/api/v1/accounts/ext:%ff%fe",
        "/api/v1/accounts/ext:" + "x" * 3_000,
        "/api/v1/accounts/ext:' OR '1'='1",
        "/api/v1/accounts/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/api/v1/invoices/nonsense",
        "/api/v1/invoices/ext:G",
        "/api/v1/invoices/%00",
        "/api/v1/lines/nonsense/explanation",
        "/api/v1/billing-runs/nonsense",
        "/api/v1/nothing",
        "/api/v1/",
        "/api/v1/accounts/",
        "/api/v2/accounts",
        "/api/",
        "/api/v1/%ff",
    ],
)
def test_finds_nothing_there(api, path):
    assert_problem(api.get(path), 404, "not_found")


@pytest.mark.parametrize("query", ["q=%ff%fe", "q=%F0%9F%92%B6", "q=%ED%A0%80", "q=%E2%80%AE"])
def test_searches_for_any_characters(api, query):
    answer = api.get(f"/api/v1/accounts?{query}")

    assert (answer.status_code, answer.json()["data"]) == (200, [])


@pytest.mark.parametrize("text", ["%", "_", "\\", "%' --", "[", "(?q)"])
def test_searches_for_wildcards_as_characters(api, text):
    answer = api.client.get(
        "/api/v1/accounts", {"q": text}, headers={"Authorization": f"Bearer {api.secret}"}
    )

    assert (answer.status_code, answer.json()["data"]) == (200, [])


ALLOWED = {
    "/api/v1/accounts": {"post"},
    "/api/v1/accounts/ext:G": {"patch"},
    "/api/v1/accounts/ext:G/settings": {"patch"},
    "/api/v1/charges": {"post"},
}


OTHERS = [
    (path, method)
    for path in GETS[:-1]
    for method in ("post", "put", "patch", "delete", "options")
    if method not in ALLOWED.get(path, set())
]


@pytest.mark.parametrize(("path", "method"), OTHERS)
def test_allows_no_other_method(api, path, method):
    allowed = ALLOWED.get(path, set())
    answer = getattr(api.client, method)(path, headers={"Authorization": f"Bearer {api.secret}"})

    assert_problem(answer, 405, "method_not_allowed")
    names = ["GET", *(name.upper() for name in sorted(allowed)), "HEAD"]
    assert answer.headers["Allow"] == ", ".join(names)


def test_answers_head_like_get_without_a_body(api):
    answer = api.client.head("/api/v1/me", headers={"Authorization": f"Bearer {api.secret}"})

    assert (answer.status_code, answer.content) == (200, b"")


def test_speaks_json_alone(api):
    answer = api.get("/api/v1/me", Accept="text/html")

    assert_problem(answer, 406, "not_acceptable")


BAD_BODIES = [
    (b"", 422, "invalid_body"),
    (b"{", 400, "malformed"),
    (b"nonsense", 400, "malformed"),
    (b"\xff\xfe", 400, "malformed"),
    (b'{"date": "\xff"}', 400, "malformed"),
    (b'{"date": NaN}', 400, "malformed"),
    (b'{"date": Infinity}', 400, "malformed"),
    (b'{"date": "2026-12-01", "date": "2026-12-02"}', 400, "malformed"),
    (b"[" * 100_000, 400, "malformed"),
    (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400, "malformed"),
    (b'{"date": ' + b"9" * 5_000 + b"}", 400, "malformed"),
    (b"[]", 422, "invalid_body"),
    (b"null", 422, "invalid_body"),
    (b'"2026-12-01"', 422, "invalid_body"),
    (b"1e400", 422, "invalid_body"),
    (b"{}", 422, "invalid_body"),
    (b'{"date": null}', 422, "invalid_body"),
    (b'{"date": 20261201}', 422, "invalid_body"),
    (b'{"date": ["2026-12-01"]}', 422, "invalid_body"),
    (b'{"date": {"year": 2026}}', 422, "invalid_body"),
    (b'{"date": "2026-12-01", "issue": "perhaps"}', 422, "invalid_body"),
    (b'{"date": "2026-12-01", "issue": []}', 422, "invalid_body"),
    (b'{"date": "2026-12-01", "issue": {}}', 422, "invalid_body"),
    (b'{"date": "2026-12-01", "issue": null}', 422, "invalid_body"),
    (b'{"date": "2026-12-01", "colour": "red"}', 422, "invalid_body"),
    (b'{"date": "2026-12-01", "in": 7.5}', 422, "invalid_body"),
    (b'{"date": "2026-12-01", "in": {}}', 422, "invalid_body"),
    (b'{"date": "2026-12-01", "in": "ext:nobody"}', 422, "invalid_body"),
    (b'{"date": "2026-12-01", "in": "a\\u0000b"}', 422, "invalid_body"),
    (b'{"date": "2026-12-01", "in": "ext:\\ud800"}', 422, "invalid_body"),
    (b'{"date": "2026-12-01", "in": ""}', 422, "invalid_body"),
    (b'{"date": "0001-01-01"}', 422, "date_out_of_range"),
    (b'{"date": "9999-12-31"}', 422, "date_out_of_range"),
    (b'{"date": "2026-11-01"}', 422, "run_date_before_last_issue"),
]


@pytest.mark.parametrize(("body", "status", "code"), BAD_BODIES, ids=lambda one: str(one)[:40])
def test_refuses_a_body_that_means_nothing(api, body, status, code):
    assert_problem(api.post("/api/v1/billing-runs", body), status, code)


def test_reads_no_endless_body(api, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000

    answer = api.post("/api/v1/billing-runs", json.dumps({"date": "x" * 2_000}))

    assert_problem(answer, 413, "body_too_large")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "text/xml", "nonsense", ""]
)
def test_reads_json_alone(api, content_type):
    answer = api.post("/api/v1/billing-runs", b"date=2026-12-01", content_type=content_type)

    assert_problem(answer, 415, "unsupported_media_type")


def test_takes_no_filter_for_an_order(api):
    answer = api.post("/api/v1/billing-runs?status=done", {"date": "2026-12-01"})

    assert_problem(answer, 422, "invalid_parameters")


def test_speaks_german(api):
    answer = api.get("/api/v1/accounts?limit=ten", **{"Accept-Language": "de"})

    assert answer.headers["Content-Language"] == "de"
    assert answer.json()["title"] == "Unprocessable Entity"


def test_refuses_a_foreign_host_with_a_problem(api):
    answer = api.get("/api/v1/me", Host="evil.example")

    assert_problem(answer, 400, "malformed")


def test_tells_nothing_of_a_bug(api, monkeypatch):
    def break_down(*args, **kwargs):
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr("accounts.queries.principals.own_key", break_down)

    answer = api.get("/api/v1/me")

    assert_problem(answer, 500, "internal_error")
    assert b"secret" not in answer.content
