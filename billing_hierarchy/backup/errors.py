"""Why a backup is not taken or not restored."""

from django.utils.translation import gettext_lazy as _

from tenancy.errors import Conflict, Invalid, NotFound


class BackupExists(Conflict):
    """A backup never takes another's place."""

    code = "file_exists"
    message = _("“%(path)s” exists already; a backup overwrites nothing.")


class BackupRuns(Conflict):
    """Another process is writing the same file."""

    code = "backup_running"
    message = _("Another backup is writing “%(path)s” right now.")


class BackupNotWritable(Invalid):
    """The file can't be made there."""

    code = "file_not_writable"
    message = _("The file “%(path)s” cannot be written: %(why)s")


class BackupNotReadable(NotFound):
    """The file can't be read."""

    code = "file_not_readable"
    message = _("The file “%(path)s” cannot be read: %(why)s")


class BackupDamaged(Invalid):
    """The file is no backup of this product, or not as it was written."""

    code = "backup_damaged"
    message = _("“%(path)s” is not a whole backup: %(why)s.")


class BackupOfAnotherVersion(Conflict):
    """The backup has migrations that this version does not know."""

    code = "backup_of_another_version"
    message = _(
        "The backup was made by version %(version)s, which knows migrations that this one does not"
        " (%(migrations)s): restore it with that version or a later one."
    )


class NothingToBackUp(Conflict):
    """The database has no tables."""

    code = "database_empty"
    message = _("The database has no tables yet: there is nothing to back up.")


class DatabaseNotEmpty(Conflict):
    """The database holds tenants or people already."""

    code = "database_not_empty"
    message = _(
        "The database holds tenants or people already: restore into an empty one, or give"
        " --replace to throw away what it holds."
    )


class DatabaseInUse(Conflict):
    """Other processes hold tables that a restore has to have alone."""

    code = "database_in_use"
    message = _("The database is in use: stop web server, workers and timetable first.")


class RestoredDiffers(Invalid):
    """What was stored is not what the backup holds; the restore was undone."""

    code = "restored_differs"
    message = _("Table “%(table)s” would not be as in the backup; nothing was restored.")
