"""What the last check of each of the books' invariants found."""

from typing import ClassVar

from django.db import models

from tenancy.database import TenantModel


class BooksCheck(TenantModel):
    """The last result of one check.

    ``name`` is the invariant's, as ``verify_books`` calls it. ``objects_checked`` is on how many
    objects it was checked; ``violations`` are at most a hundred of ``{"object", "detail"}``, none
    when it holds.
    """

    name = models.CharField(max_length=20)
    objects_checked = models.PositiveBigIntegerField()
    violations = models.JSONField(default=list)
    checked_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="books_check_once", fields=["tenant", "name"])
        ]

    def __str__(self) -> str:
        """Return which it is."""
        return self.name
