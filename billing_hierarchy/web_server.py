"""Gunicorn's configuration: ``gunicorn -c python:billing_hierarchy.web_server``."""

import os

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
wsgi_app = "billing_hierarchy.wsgi:application"
worker_class = "billing_hierarchy.buffering_worker.BufferingWorker"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
timeout = 60
graceful_timeout = 3
# Workers end after so many requests, not all at once, so that no leak lasts.
max_requests = 5000
max_requests_jitter = 500
# The remote control would put a socket into the user's home.
control_socket_disable = True
loglevel = os.environ.get("WEB_LOG_LEVEL", "warning")
