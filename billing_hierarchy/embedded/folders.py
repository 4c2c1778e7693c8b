"""Where the embedded services keep their data, locks and sockets."""

import hashlib
import os
import re
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from billing_hierarchy.embedded.errors import EmbeddedServiceError
from billing_hierarchy.embedded.privileges import server_identity

_PROJECT = Path(__file__).resolve().parent.parent.parent

MIGRATED_STAMP = "migrated"
"""The file beside the cluster that says which migrations its database has."""

# The kernel allows 107 bytes for the address of a socket; a server's file name needs up to 20.
_LONGEST_SOCKET_FOLDER = 85
_PLAIN_PATH = re.compile(r"[A-Za-z0-9._/-]+")


def local_folder() -> Path:
    """Return the folder of all that this machine keeps: ``.local``, or ``BILLING_LOCAL_DIR``."""
    return Path(os.environ.get("BILLING_LOCAL_DIR") or _PROJECT / ".local").absolute()


def project_folder() -> Path:
    """Return the folder that holds ``manage.py``."""
    return _PROJECT


@dataclass(frozen=True)
class ServiceFolder:
    """The files of one embedded service."""

    path: Path

    @property
    def users_lock(self) -> Path:
        """Held shared by each process that uses the service."""
        return self.path / "users.lock"

    @property
    def start_lock(self) -> Path:
        """Held by the one process that starts the service."""
        return self.path / "start.lock"

    @property
    def supervisor_lock(self) -> Path:
        """Held by the service's supervisor as long as it lives."""
        return self.path / "supervisor.lock"

    @property
    def ready(self) -> Path:
        """Says that the service takes connections, and where."""
        return self.path / "ready.json"

    @property
    def problem(self) -> Path:
        """Says why the last start failed."""
        return self.path / "problem.txt"

    @property
    def log(self) -> Path:
        """What supervisor and server have to say."""
        return self.path / "server.log"

    @property
    def data(self) -> Path:
        """The server's own folder."""
        return self.path / "data"


def prepare_service_folder(name: str) -> ServiceFolder:
    """Return the folder of the service ``name``, made if missing and given to its server's user.

    Raises:
        EmbeddedServiceError: the folder cannot be made or written.
    """
    folder = ServiceFolder(local_folder() / name)
    try:
        _make_private(folder.path.parent)
        _make_private(folder.path)
        if os.geteuid() == 0:
            os.chown(folder.path, *server_identity(folder.path.parent))
    except OSError as error:
        raise unwritable(folder.path.parent, error) from error
    if not os.access(folder.path, os.W_OK | os.X_OK):
        raise unwritable(folder.path, PermissionError())
    return folder


def unwritable(path: Path, error: OSError) -> EmbeddedServiceError:
    """Return the sentence for a folder that cannot be used."""
    if isinstance(error, PermissionError):
        return EmbeddedServiceError(
            f"The folder {path} belongs to another user or is write-protected: give it to the "
            "user who runs this (chown -R), or set BILLING_LOCAL_DIR to a folder of your own."
        )
    return EmbeddedServiceError(
        f"The folder {path} cannot be used ({error.strerror}): make room or repair it, "
        "or set BILLING_LOCAL_DIR to another folder."
    )


def prepare_socket_folder(folder: ServiceFolder) -> Path:
    """Return a private folder whose path is short and plain enough for a socket's address."""
    wanted = folder.path / "run"
    if len(os.fsencode(wanted)) > _LONGEST_SOCKET_FOLDER or not _PLAIN_PATH.fullmatch(str(wanted)):
        digest = hashlib.sha256(os.fsencode(folder.path)).hexdigest()[:12]
        wanted = Path(tempfile.gettempdir()) / f"billing-{os.geteuid()}-{digest}"
    wanted.mkdir(mode=0o700, exist_ok=True)
    # Someone else may have put a folder or a link there first, to listen in.
    found = wanted.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise EmbeddedServiceError(
            f"The folder {wanted} belongs to another user: remove it, or set TMPDIR to a folder "
            "of your own."
        )
    return wanted


def free_megabytes(path: Path) -> int:
    """Return the room left on the file system of ``path``."""
    return shutil.disk_usage(path).free // 2**20


def _make_private(path: Path) -> None:
    """Make a folder that only its owner may enter; below a user's folder it is that user's."""
    if not path.parent.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        return
    if os.geteuid() == 0:
        parent = path.parent.stat()
        os.chown(path, parent.st_uid, parent.st_gid)
