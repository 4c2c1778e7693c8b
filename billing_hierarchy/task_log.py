"""Lines of workers look like those of the web server, and name the request that called the task.

A message carries the id of the request in which it was sent, also on to the tasks that it calls
itself. What the timetable sends belongs to no request: its lines name the task instead.
"""

import logging
from contextvars import Token
from typing import Any

from celery.signals import before_task_publish, setup_logging, task_postrun, task_prerun
from celery.utils.log import mlevel

from tenancy.request_ids import NO_REQUEST, current_request_id, enter_request, leave_request

HEADER = "billing_request_id"

_entered: dict[str, Token[str]] = {}
"""What ends each task that this process is at, by its id."""


@setup_logging.connect
def keep_the_settings(loglevel: Any = None, **_values: Any) -> None:
    """Have Celery log as Django's settings say; its own option can only ask for more."""
    root = logging.getLogger()
    if loglevel is not None:
        root.setLevel(min(root.level, mlevel(loglevel)))


@before_task_publish.connect
def take_request_along(headers: dict[str, Any] | None = None, **_values: Any) -> None:
    """Write into a message for which request it is sent."""
    if headers is not None and (request_id := current_request_id()) != NO_REQUEST:
        headers[HEADER] = request_id


@task_prerun.connect
def enter_task(task_id: str, task: Any, **_values: Any) -> None:
    """Have the lines of this task name the request that called it, else the task."""
    given = (task.request.headers or {}).get(HEADER)
    if given is None and current_request_id() != NO_REQUEST:
        return  # called at once, by whoever answers that request
    _entered[task_id] = enter_request(given or task_id)


@task_postrun.connect
def leave_task(task_id: str, **_values: Any) -> None:
    """End what ``enter_task`` began."""
    token = _entered.pop(task_id, None)
    if token is not None:
        leave_request(token)
