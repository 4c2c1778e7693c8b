"""How a line of the log looks, in the web server and in workers alike.

A line says when, how grave, who speaks, for which request or task, what, and the facts:

    2026-11-28T03:05:06.123Z ERROR invoicing.tasks [4f1c…] clock.failed job=018f…

Facts are what the caller gave as ``extra``. What has a blank or a quote in it is written as JSON,
so that a line can be taken apart again and nobody's text can forge a second one.
"""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from tenancy.request_ids import current_request_id

_OF_EVERY_RECORD: Final = frozenset(
    {*vars(logging.makeLogRecord({})), "message", "asctime", "request_id", "taskName"}
)
_PLAIN: Final = (str, int, float, bool, Decimal, UUID, date, type(None))
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MOST: Final = 500


class LineFormatter(logging.Formatter):
    """Write a record as one line, and below it the traceback if there is one."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line."""
        moment = datetime.fromtimestamp(record.created, UTC)
        at = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        asked = getattr(record, "request_id", "-")
        line = f"{at} {record.levelname} {record.name} [{asked}] {_one_line(record.message)}"
        return " ".join([line, *_facts(vars(record))])


class OfRequest(logging.Filter):
    """Put the request's id into each line, as pages of errors and answers say it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add ``request_id``; let every line pass."""
        record.request_id = current_request_id()
        return True


class WithoutOrdinaryTracebacks(logging.Filter):
    """A refusal is no fault of the program's: how it came about says nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Drop the traceback of answers below 500; let every line pass."""
        if getattr(record, "status_code", 500) < 500:
            record.exc_info = record.exc_text = None
        return True


def _facts(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was given beside the message, but for objects that are no fact."""
    for name in sorted(values.keys() - _OF_EVERY_RECORD):
        value = values[name]
        if isinstance(value, _PLAIN):
            yield f"{name}={_written(value)}"


def _written(value: Any) -> str:
    text = "" if value is None else str(value)[:_MOST]
    is_word = text.isprintable() and not any(sign in text for sign in ' "=\\')
    return text if is_word and text else json.dumps(text, ensure_ascii=not text.isprintable())


def _one_line(message: str) -> str:
    """Return the message without what breaks a line or steers a terminal."""
    return _CONTROL.sub(lambda found: json.dumps(found[0])[1:-1], message)
