"""Moves and change plans as integrators plan, decide and read them."""

import pytest

from accounts.access import Action
from accounts.models import AccountNode
from invoicing.models import ChangePlan
from tests.http.api.test_refusals import assert_problem


def counts(shop):
    with shop.seen():
        nodes = sorted(AccountNode.objects.values_list("account_id", "parent_id"))
        return ChangePlan.objects.count(), nodes


def test_a_dry_run_says_what_would_come_and_stores_nothing(nordlicht, api):
    before = counts(nordlicht)

    answer = api.post(
        "/api/v1/accounts/ext:A1/moves?dry_run=true",
        {"parent": "ext:B", "effective_date": "2027-01-01"},
    )

    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body["dry_run"] is True
    preview = body["preview"]
    # A1 has three seats at 9.00 and 19 % tax; G and A have one and two, B has four.
    rows = {
        one["bill_to"]["external_id"]: (one["before_minor"], one["after_minor"], one["currency"])
        for one in preview["billing"]
    }
    assert rows == {"G": (6426, 3213, "EUR"), "B": (4284, 7497, "EUR")}
    assert preview["payer"]["after"]["external_id"] == "B"
    assert preview["warnings"][0]["code"] == "not_contract_party"
    assert "contract party" in preview["warnings"][0]["detail"]
    assert {"credits", "access", "recipients", "settings", "to_answer"} <= preview.keys()
    assert counts(nordlicht) == before


def test_moves_today_what_nobody_holds_up(nordlicht, api):
    answer = api.post("/api/v1/accounts/ext:A1/moves", {"parent": "ext:B"})

    body = answer.json()
    assert (answer.status_code, body["status"]) == (201, "applied"), body
    assert body["id"].startswith("mov_")
    assert answer.headers["Location"].endswith(f"/api/v1/change-plans/{body['id']}")
    assert api.get("/api/v1/accounts/ext:A1").json()["parent"]["external_id"] == "B"
    again = api.post("/api/v1/accounts/ext:A1/moves", {"parent": "ext:B"})
    assert_problem(again, 422, "nothing_to_change")


def test_schedules_refuses_a_second_and_withdraws(nordlicht, api):
    wanted = {"parent": "ext:B", "effective_date": "2027-01-15"}
    first = api.post("/api/v1/accounts/ext:A1/moves", wanted).json()
    assert (first["status"], first["effective_date"]) == ("scheduled", "2027-01-15")

    second = api.post("/api/v1/accounts/ext:A1/moves", {"parent": None})
    assert_problem(second, 409, "overlapping_plan")

    gone = api.post(f"/api/v1/change-plans/{first['id']}/withdrawal", {"reason": "Not now"})
    assert gone.json()["status"] == "withdrawn"
    assert [one["text"] for one in gone.json()["comments"]] == ["Not now"]
    late = api.post(f"/api/v1/change-plans/{first['id']}/withdrawal", {})
    assert_problem(late, 409, "plan_not_open")


@pytest.mark.parametrize(
    ("account", "body", "status", "code"),
    [
        ("G", {"parent": "ext:A1"}, 422, "tree_cycle"),
        ("A", {"parent": "ext:A"}, 422, "tree_cycle"),
        ("A1", {"parent": "ext:nobody"}, 422, "invalid_body"),
        ("A1", {}, 422, "invalid_body"),
        ("A1", {"parent": 7}, 422, "invalid_body"),
        ("A1", {"parent": "ext:B", "effective_date": "2026-12-09"}, 422, "effective_date_past"),
        ("A1", {"parent": "ext:B", "effective_date": "2099-01-01"}, 422,
         "effective_date_too_far"),
        ("A1", {"parent": "ext:B", "open_drafts": "burn"}, 422, "invalid_body"),
        ("A1", {"parent": "ext:B", "settings": []}, 422, "invalid_body"),
        ("A1", {"parent": "ext:B", "settings": {"bill_to": 7}}, 422, "invalid_body"),
        ("A1", {"parent": "ext:B", "settings": {"colour": "red"}}, 422, "invalid_body"),
        ("A1", {"parent": "ext:B", "settings": {"bill_to": "ext:G"}}, 201, ""),
        ("A1", {"parent": "ext:B", "settings": {"bill_to": "ext:A"}}, 422,
         "bill_to_outside_path"),
        ("nobody", {"parent": "ext:B"}, 404, "not_found"),
    ],
)  # fmt: skip
def test_refuses_what_means_nothing(nordlicht, api, account, body, status, code):
    before = counts(nordlicht)

    answer = api.post(f"/api/v1/accounts/ext:{account}/moves", body)

    assert answer.status_code == status, answer.content
    if code:
        assert_problem(answer, status, code)
        assert counts(nordlicht) == before


def test_names_the_place_that_is_wrong(nordlicht, api):
    settings = {"ext:A": {"colour": None}, "consolidation": "both", "acc_x": {}}

    answer = api.post("/api/v1/accounts/ext:A1/moves", {"parent": "ext:B", "settings": settings})

    body = assert_problem(answer, 422, "invalid_body")
    assert {one["pointer"] for one in body["errors"]} == {
        "/settings/ext:A/colour",
        "/settings/consolidation",
        "/settings/acc_x",
    }


def test_asks_for_an_answer_and_takes_it(nordlicht, api):
    """B has an own invoice by naming itself; A1 names its parent, which will not be above."""
    api.post("/api/v1/change-plans", {"kind": "bill_to", "account": "ext:A1", "bill_to": "ext:A"})
    asked = api.post("/api/v1/accounts/ext:A1/moves", {"parent": "ext:B"})
    body = assert_problem(asked, 422, "settings_outside_path")
    (one,) = body["errors"]
    key = one["pointer"].split("/")[2]

    answer = api.post(
        "/api/v1/accounts/ext:A1/moves", {"parent": "ext:B", "settings": {key: {"bill_to": None}}}
    )

    assert answer.json()["status"] == "applied"
    found = api.get("/api/v1/accounts/ext:A1/settings").json()["bill_to"]
    assert found["source"] == "inherited"


def test_other_kinds_have_the_list_for_an_address(nordlicht, api):
    own = api.post(
        "/api/v1/change-plans", {"kind": "bill_to", "account": "ext:A1", "bill_to": "ext:A1"}
    ).json()
    assert (own["status"], own["id"][:4]) == ("applied", "chp_")
    assert own["title"] == "Niederlassung Kiel: own invoice"
    assert_problem(
        api.post("/api/v1/change-plans", {"kind": "payer", "account": "ext:A1"}),
        422,
        "invalid_body",
    )
    assert_problem(
        api.post(
            "/api/v1/change-plans",
            {"kind": "payer", "account": "ext:A1", "payer": None, "parent": None},
        ),
        422,
        "invalid_body",
    )
    closing = api.post("/api/v1/change-plans", {"kind": "closing", "account": "ext:A1"})
    body = assert_problem(closing, 409, "account_in_use")
    assert "subscriptions" in {one["code"] for one in body["errors"]}


def test_another_family_is_asked_and_staff_may_force(nordlicht, api):
    plan = api.post("/api/v1/accounts/ext:S/moves", {"parent": "ext:G"}).json()
    url = f"/api/v1/change-plans/{plan['id']}"

    assert (plan["status"], plan["receiver"]["external_id"]) == ("waiting_acceptance", "G")
    assert_problem(api.post(f"{url}/acceptance", {"decision": "accept"}), 422, "reason_needed")
    done = api.post(f"{url}/acceptance", {"decision": "accept", "reason": "By phone"}).json()
    assert done["status"] == "applied"


def test_the_receiver_sees_its_own_share_and_nothing_of_others(nordlicht, api, caller):
    plan = api.post("/api/v1/accounts/ext:A/moves", {"parent": "ext:S"}).json()
    theirs = caller(nordlicht.key(reach="S"))
    strangers = caller(nordlicht.key(reach="B"))
    url = f"/api/v1/change-plans/{plan['id']}"

    seen = theirs.get(url).json()

    assert [one["bill_to"]["external_id"] for one in seen["preview"]["billing"]] == ["S"]
    assert "access" not in seen["preview"]
    assert_problem(strangers.get(url), 404, "not_found")
    assert strangers.get("/api/v1/change-plans").json()["data"] == []
    declined = theirs.post(f"{url}/acceptance", {"decision": "decline"})
    assert declined.json()["status"] == "withdrawn"


def test_lists_filters_and_reverses(nordlicht, api):
    plan = api.post("/api/v1/accounts/ext:A1/moves", {"parent": "ext:B"}).json()
    back = api.post(f"/api/v1/change-plans/{plan['id']}/reversal", {}).json()
    assert (back["status"], back["reverse_of"]) == ("draft", plan["id"])
    done = api.post(f"/api/v1/change-plans/{back['id']}/submission", {}).json()
    assert done["status"] == "applied"
    assert api.get("/api/v1/accounts/ext:A1").json()["parent"]["external_id"] == "A"

    rows = api.get("/api/v1/change-plans?in=ext:A1&status=applied&kind=move").json()["data"]
    assert [one["id"] for one in rows] == [back["id"], plan["id"]]
    assert api.get("/api/v1/change-plans?in=ext:S").json()["data"] == []


@pytest.mark.parametrize("scopes", [[Action.VIEW_SETTINGS], [Action.EDIT_ACCOUNT], []])
def test_needs_the_right_to_change_settings(nordlicht, caller, scopes):
    key = caller(nordlicht.key(scopes=scopes))

    answer = key.post("/api/v1/accounts/ext:A1/moves", {"parent": "ext:B"})

    assert answer.status_code == 403


def test_a_key_of_a_part_plans_nothing(nordlicht, caller):
    key = caller(nordlicht.key(reach="A"))

    assert_problem(key.post("/api/v1/accounts/ext:A1/moves", {"parent": None}), 403, "forbidden")


def test_credits_what_is_paid_in_advance_to_whom_it_was_charged(nordlicht, api):
    """A1's 27.00 for December go back to G, to the day, and S is charged as much."""
    wanted = {"parent": "ext:S", "prepaid": "credit", "effective_date": "2026-12-12"}

    preview = api.post("/api/v1/accounts/ext:A1/moves?dry_run=true", wanted).json()["preview"]

    (row,) = preview["credits"]
    assert {name: row[name]["external_id"] for name in ("to", "charged_to", "account")} == {
        "to": "G", "charged_to": "S", "account": "A1",
    }  # fmt: skip
    assert (row["amount_minor"], row["days"], row["currency"]) == (1742, 20, "EUR")
    assert row["document"]["number"].startswith("RE-2026-")
    assert preview["credit_sums"][0]["amount_minor"] == 1742
    plan = api.post("/api/v1/accounts/ext:A1/moves", wanted).json()
    assert plan["parameters"]["prepaid"] == "credit"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"kind": "consolidation", "consolidation": "per_account", "prepaid": "credit"},
         422, "prepaid_credit_unavailable"),
        ({"kind": "merge", "into": "ext:S", "prepaid": "credit"},
         422, "prepaid_credit_unavailable"),
        ({"kind": "payer", "payer": "ext:S", "prepaid": "refund"}, 422, "invalid_body"),
        ({"kind": "payer", "payer": "ext:S", "prepaid": None}, 422, "invalid_body"),
    ],
)  # fmt: skip
def test_refuses_credits_where_there_are_none(nordlicht, api, body, status, code):
    before = counts(nordlicht)

    answer = api.post("/api/v1/change-plans", {"account": "ext:B", **body})

    assert_problem(answer, status, code)
    assert counts(nordlicht) == before
