"""What the imports of this app share."""

from django.utils.translation import gettext as _

from tenancy.files import FileRow


def refuse_difference(row: FileRow) -> None:
    """Note that what exists under this external id says something else."""
    row.refuse(
        "external_id",
        "already_exists_different",
        _("This external id exists already, with other values."),
    )
