"""A vendor whose customers are billed, another vendor, and a caller with a key."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tests.http.api import world
from tests.scenes import scene


@dataclass
class Caller:
    """A program with a key."""

    secret: str | None
    client: Client

    def get(self, path: str, **headers: str) -> Any:
        return self._call("get", path, headers)

    def patch(self, path: str, body: Any, tag: str | None = None) -> Any:
        headers = {} if tag is None else {"if-match": tag}
        data = json.dumps(body)
        return self._call("patch", path, headers, data=data, content_type="application/json")

    def post(self, path: str, body: Any = None, content_type: str = "application/json") -> Any:
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        return self._call("post", path, {}, data=data, content_type=content_type)

    def _call(self, method: str, path: str, headers: dict[str, str], **kwargs: Any) -> Any:
        if self.secret is not None:
            headers = {"Authorization": f"Bearer {self.secret}", **headers}
        return getattr(self.client, method)(path, headers=headers, **kwargs)


@pytest.fixture(scope="session", autouse=True)
def static_folder():
    """The files of pages are not gathered for tests; the server only wants to see the folder."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@scene
def nordlicht():
    made = world.vendor("nordlicht")
    world.subscribe(made, world.SUBSCRIPTIONS)
    world.bill(made)
    return made


@scene
def andere():
    made = world.vendor("andere")
    world.subscribe(made, [("G", 1)])
    world.bill(made)
    return made


@pytest.fixture
def caller():
    def call_as(secret: str | None) -> Caller:
        return Caller(secret, Client(raise_request_exception=False))

    return call_as


@pytest.fixture
def api(nordlicht, caller):
    return caller(nordlicht.secret)
