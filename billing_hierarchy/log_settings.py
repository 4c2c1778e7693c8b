"""What is logged, and how a line looks."""

import os

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "billing_hierarchy.request_log.LineFormatter"},
    },
    "filters": {
        "of_request": {"()": "billing_hierarchy.request_log.OfRequest"},
        "plain": {"()": "billing_hierarchy.request_log.WithoutOrdinaryTracebacks"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["of_request", "plain"],
        }
    },
    # Who signs in is worth a line, however little else is logged.
    "loggers": {
        "sign_in": {"level": "INFO"},
        # It calls each request that waits a moment for a thread a warning.
        "waitress.queue": {"level": "ERROR"},
    },
    "root": {"handlers": ["stderr"], "level": os.environ.get("LOG_LEVEL", "WARNING")},
}
