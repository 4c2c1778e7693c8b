"""Gather style sheets, scripts, fonts and pictures for the web server, when they have changed."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from billing_hierarchy.embedded import locks
from billing_hierarchy.embedded.folders import local_folder

# Other ways to show the API's description than ours; pressing them together takes long.
_UNUSED = ["redoc", "rest_framework"]


def collect_static_files() -> None:
    """Run ``collectstatic`` unless the last run saw the same files."""
    stamp = local_folder() / "static.stamp"
    local_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    with locks.exclusive(local_folder() / "static.lock"):
        wanted = _digest()
        if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
            return
        call_command(
            "collectstatic", interactive=False, clear=True, verbosity=0, ignore_patterns=_UNUSED
        )
        stamp.write_text(wanted, encoding="ascii")


def _digest() -> str:
    """Return a digest of the names, sizes and times of all files and of how they are kept."""
    digest = hashlib.sha256(repr(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for path, storage in finder.list(_UNUSED):
            found = storage.path(path)
            digest.update(f"{path}\0{_signature(found)}\0".encode())
    return digest.hexdigest()


def _signature(path: str) -> str:
    found = Path(path).stat()
    return f"{found.st_size} {found.st_mtime_ns}"
