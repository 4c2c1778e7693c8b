"""Log lines name the request they belong to; what is ordinary is one line without a traceback."""

import logging

from tenancy.request_ids import current_request_id


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
