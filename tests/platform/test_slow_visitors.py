"""A real web server, and visitors who send slowly, send too much or say nothing."""

import contextlib
import os
import signal
import time

import pytest

from billing_hierarchy.buffering_worker import LARGEST_BODY, proxy_settings
from tests.platform.web_servers import HALF_POST, PATIENCE_SECONDS, web_server


@pytest.fixture
def site(committed_database, tmp_path):
    with web_server(tmp_path / "log") as found:
        yield found


@pytest.mark.parametrize(("visitors", "sent"), [(16, HALF_POST), (40, b""), (40, b"GET / HT")])
def test_slow_and_silent_visitors_stop_nobody(site, visitors, sent):
    with contextlib.ExitStack() as stack:
        for _ in range(visitors):
            stack.enter_context(site.connect(sent))
        for _ in range(10):
            assert site.get().status == 200
        assert site.get("/sign-in/").status == 200


def test_a_request_sent_in_pieces_is_answered_once_it_is_whole(site):
    with site.connect(HALF_POST) as visitor:
        visitor.settimeout(0.5)
        with pytest.raises(TimeoutError):
            visitor.recv(1)
        visitor.settimeout(10)
        visitor.sendall(b"x" * (1000 - len(b"email=half")))
        # Without the form's token it is refused: by the product, not by the server.
        assert visitor.recv(1000).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("declared", [60_000_000, LARGEST_BODY])
def test_a_body_too_large_is_refused_before_it_is_sent(site, declared):
    head = f"POST /imports/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: {declared}\r\n\r\n"
    with site.connect(head.encode()) as visitor:
        answer = visitor.recv(1000)
        assert site.get().status == 200
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_body_without_a_length_is_refused_when_it_grows_too_large(site):
    head = b"POST /imports/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    piece = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    taken = 0
    with site.connect(head) as visitor, contextlib.suppress(ConnectionError):
        for _ in range(60):
            visitor.sendall(piece)
            taken += 1
    assert taken < 60
    assert site.get().status == 200


def test_stops_at_once_though_visitors_are_silent(site):
    with site.connect(HALF_POST), site.connect():
        site.process.send_signal(signal.SIGTERM)
        # Held up, it would be killed only after twice this time.
        assert site.process.wait(PATIENCE_SECONDS) == 0


def test_answers_what_came_whole_before_it_stops(site):
    whole = b"GET /sign-in/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with contextlib.ExitStack() as stack:
        visitors = [stack.enter_context(site.connect(whole)) for _ in range(8)]
        site.process.send_signal(signal.SIGTERM)
        answers = [visitor.recv(12) for visitor in visitors]

    assert answers == [b"HTTP/1.1 200"] * 8


def test_a_killed_process_is_replaced(site):
    [first, second] = site.workers()
    os.kill(first, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while len(set(site.workers()) - {first}) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)

    assert second in site.workers()
    assert site.get().status == 200


def test_static_files_and_ids_come_as_they_did(site):
    answer = site.get("/healthz", **{"X-Request-Id": "of-a-test-1"})

    assert answer.headers["X-Request-Id"] == "of-a-test-1"
    assert answer.headers["Server"] is None


def test_nobodys_word_about_addresses_is_believed_unless_set():
    assert proxy_settings({}) == {"clear_untrusted_proxy_headers": False}
    assert proxy_settings({"TRUSTED_PROXY": "10.0.0.1", "TRUSTED_PROXY_HOPS": "2"}) == {
        "trusted_proxy": "10.0.0.1",
        "trusted_proxy_count": 2,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
        "clear_untrusted_proxy_headers": True,
    }
