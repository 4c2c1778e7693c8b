"""The billing calendar on screen: views, filters, files, and whose it is."""

import csv
import io
from datetime import date

import pytest

from tests.browser.stage import set_stage
from tests.scenes import scene


@scene
def stage():
    return set_stage()


@pytest.fixture
def visit(stage, client):
    def get(path, who="staff"):
        client.cookies["sessionid"] = stage.session_of(who)
        client.cookies["django_language"] = "en"
        return client.get(stage.path(path))

    return get


def text_of(answer):
    return answer.content.decode()


def test_shows_a_month_with_the_day_that_comes_next(visit):
    page = text_of(visit("/calendar/?month=2026-12"))

    assert "Billing calendar · December 2026" in page
    assert 'aria-label="Tuesday, 1 December 2026; Invoices 2' in page
    assert "Tuesday 1 December 2026" in page.replace(",", "")
    assert 'href="?month=2027-01" rel="next"' in page
    assert 'href="?month=2026-11" rel="prev"' in page


def test_marks_today(visit):
    page = text_of(visit("/calendar/"))

    assert 'aria-current="date"' in page
    assert 'data-day="2026-11-23"' in page


def test_names_the_nearest_day_where_nothing_falls(visit):
    page = text_of(visit("/calendar/?month=2020-01"))

    assert "Nothing falls on these days." in page
    assert "Go to Tuesday, 1 December 2026" in page.replace("Tuesday 1", "Tuesday, 1")


def test_keeps_to_an_account_and_a_kind(visit):
    page = text_of(visit("/calendar/?month=2027-01&in={branch}&kinds=renewal"))

    assert "Firma Allein" not in page
    assert "Renewals" in page
    assert "Sums of the month" in page


def test_tells_a_year_day_by_day(visit):
    page = text_of(visit("/calendar/?view=year&year=2027&by=amount"))

    assert 'class="heat step-4"' in page
    assert page.count('class="heat step-') == 365 + 4


def test_pages_an_agenda(visit):
    page = text_of(visit("/calendar/?view=agenda&month=2026-12"))

    assert "Billing calendar · from 1 Dec 2026" in page
    assert 'rel="next"' in page


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_saves_what_is_shown(visit, kind):
    answer = visit(f"/calendar/?month=2027-01&format={kind}")

    content = b"".join(answer)
    answer.close()
    assert answer.status_code == 200
    assert content
    assert "calendar" in answer.headers["Content-Disposition"]
    if kind == "csv":
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
        assert rows[0][:3] == ["What", "Date", "Type"]
        assert {row[1][:7] for row in rows[1:]} == {"2027-01"} or len(rows) > 3


@pytest.mark.parametrize(
    "query",
    [
        "month=2026-13",
        "month=nothing",
        "day=0001-01-01",
        "day=2026-02-30",
        "kinds=party",
        "least=-1",
        "least=NaN",
        "year=0001",
        "year=9999",
    ],
)
def test_refuses_what_means_nothing(visit, query):
    assert visit(f"/calendar/?{query}").status_code == 422


def test_answers_404_for_an_account_out_of_sight(visit, stage):
    assert visit("/portal/calendar/?in={account}", who="department").status_code == 404
    assert visit("/calendar/?in=nobody").status_code == 404


def test_leads_people_to_the_calendar_of_their_frame(visit):
    answer = visit("/calendar/?month=2027-01", who="customer")

    assert answer.status_code == 302
    assert answer.headers["Location"] == "/portal/calendar/?month=2027-01"


def test_shows_a_department_its_own_part(visit, stage):
    page = text_of(visit("/portal/calendar/?month=2027-01&day=2027-01-01", who="department"))

    assert "part of Gemeinnützige" in page
    assert "Gruppe Nord" not in page
    assert "Due" not in page.split("<main")[1].split("filter-panel")[0]
    assert date.fromisoformat("2027-01-01").isoformat() in page


def test_has_no_plans_for_customers(visit):
    page = text_of(visit("/portal/calendar/?month=2027-02", who="customer"))

    assert "Change plan" not in page


def test_draws_days_of_very_many_entries_by_their_number(visit, monkeypatch):
    monkeypatch.setattr("web.calendar.page._NAMED", 2)

    page = text_of(visit("/calendar/?month=2027-01"))

    assert "Renewals · 3" in page
