"""Lines of the log: one form, in the web server and in workers, with request and facts."""

import io
import logging
import logging.config
import sys
from datetime import date
from uuid import UUID

import pytest
from celery import shared_task

from billing_hierarchy.log_settings import LOGGING
from billing_hierarchy.task_log import HEADER, keep_the_settings, take_request_along
from billing_hierarchy.task_queue import app
from tenancy.request_ids import NO_REQUEST, current_request_id, enter_request, leave_request

logger = logging.getLogger("of.a.test")
KEY = UUID("018f0000-0000-7000-8000-000000000001")


@pytest.fixture
def lines(monkeypatch):
    """Return what is written by the product's own handler, line by line."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    handler = logging.config.DictConfigurator({**LOGGING, "loggers": {}, "root": {}})
    handler.configure()
    made = handler.config["handlers"]["stderr"]
    monkeypatch.setattr(logger, "handlers", [made])
    monkeypatch.setattr(logger, "propagate", False)
    monkeypatch.setattr(logger, "level", logging.INFO)
    return lambda: written.getvalue().splitlines()


@pytest.fixture
def answering():
    """Answer a request."""
    token = enter_request("request-of-alice")
    yield
    leave_request(token)


@shared_task
def speak(word):
    """Write a line."""
    logger.warning("said", extra={"word": word})
    return current_request_id()


def tail(line):
    """Return a line without its moment, which has to have its form."""
    moment, _, rest = line.partition(" ")
    assert moment[10] == "T"
    assert len(moment) == len("2026-11-28T03:05:06.123Z")
    assert moment.endswith("Z")
    return rest


def test_says_request_message_and_facts_in_one_line(lines, answering):
    logger.info("run.done", extra={"run": KEY, "day": date(2026, 11, 3), "count": 3, "by": None})

    assert [tail(line) for line in lines()] == [
        'INFO of.a.test [request-of-alice] run.done by="" count=3 day=2026-11-03 run=' + str(KEY)
    ]


def test_nobody_forges_a_line_or_a_fact(lines):
    logger.warning("a\nb %s", "c\r\nd", extra={"text": 'x" y=1\nz\u2028', "sign": "a=b"})

    assert [tail(line) for line in lines()] == [
        r'WARNING of.a.test [-] a\nb c\r\nd sign="a=b" text="x\" y=1\nz\u2028"'
    ]


def test_leaves_out_what_is_no_fact_and_cuts_what_is_long(lines):
    logger.warning("said", extra={"request": object(), "data": {"secret": 1}, "text": "x" * 900})

    assert [tail(line) for line in lines()] == ["WARNING of.a.test [-] said text=" + "x" * 500]


def test_a_traceback_stands_below_its_line(lines):
    try:
        raise RuntimeError("of a test")
    except RuntimeError:
        logger.exception("import.failed", extra={"job": "7"})

    first, *rest = lines()
    assert tail(first) == "ERROR of.a.test [-] import.failed job=7"
    assert rest[0] == "Traceback (most recent call last):"
    assert rest[-1] == "RuntimeError: of a test"


def test_a_task_names_the_request_that_called_it(lines):
    done = speak.apply(args=["hello"], headers={HEADER: "request-of-alice"})

    assert done.get() == "request-of-alice"
    assert tail(lines()[0]) == "WARNING of.a.test [request-of-alice] said word=hello"
    assert current_request_id() == NO_REQUEST


def test_a_task_of_no_request_names_itself(lines):
    done = speak.apply(args=["hello"], task_id="task-of-the-timetable")

    assert done.get() == "task-of-the-timetable"
    assert tail(lines()[0]).startswith("WARNING of.a.test [task-of-the-timetable] said")
    assert current_request_id() == NO_REQUEST


def test_a_task_that_is_called_at_once_stays_with_its_request(lines, answering):
    assert speak.apply(args=["hello"]).get() == "request-of-alice"
    assert current_request_id() == "request-of-alice"


def test_a_message_takes_the_request_along(answering):
    headers = {}
    take_request_along(headers=headers)

    assert headers == {HEADER: "request-of-alice"}


def test_a_message_of_no_request_takes_nothing_along():
    headers = {}
    take_request_along(headers=headers)

    assert headers == {}


@pytest.mark.parametrize(
    ("asked", "level"), [("INFO", logging.INFO), (None, logging.WARNING), (50, logging.WARNING)]
)
def test_workers_log_as_the_settings_say_or_more(monkeypatch, asked, level):
    root = logging.getLogger()
    monkeypatch.setattr(root, "level", logging.WARNING)
    handlers = root.handlers[:]

    keep_the_settings(loglevel=asked)

    assert root.level == level
    assert root.handlers == handlers
    assert app.conf.worker_hijack_root_logger is False
