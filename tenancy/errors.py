"""The four kinds of refusal. Concrete ones live beside the operation that raises them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tenancy.formats import date_text


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with one place of the input: a JSON pointer, or a row and a column."""

    code: str
    detail: str
    pointer: str = ""
    row: int | None = None
    column: str | None = None

    def as_row(self) -> dict[str, object]:
        """Return the shape of imports: row, column, code, detail."""
        return {
            "row": self.row,
            "column": self.column,
            "code": self.code,
            "detail": self.detail,
        }


@dataclass(eq=False)
class BillingError(Exception):
    """A refusal with a stable ``code`` and a message fit for a user; anything else is a bug."""

    params: Mapping[str, object] = field(default_factory=dict)
    errors: Sequence[FieldError] = ()

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400
    message: ClassVar[str | Promise] = ""

    def __init__(self, *, errors: Sequence[FieldError] = (), **params: object) -> None:
        """Keep the values that the message names, and the places that are wrong."""
        self.params, self.errors = params, tuple(errors)
        super().__init__(self.code)

    @property
    def detail(self) -> str:
        """The message in the active language; days in it are written as that language does."""
        values = {
            name: date_text(value) if type(value) is date else value
            for name, value in self.params.items()
        }
        return str(self.message) % values

    def __str__(self) -> str:
        """Return the message: what a log line and a page show."""
        return self.detail


class Invalid(BillingError):
    """The input can be read but means nothing sensible (422)."""

    code, status, message = "invalid", 422, _("The input is not valid.")


class NotFound(BillingError):
    """Unknown, out of reach or another tenant's: indistinguishable (404)."""

    code, status, message = (
        "not_found",
        404,
        _("There is nothing here that you can see."),
    )


class Forbidden(BillingError):
    """In sight, but not allowed (403)."""

    code, status, message = (
        "forbidden",
        403,
        _("You can see this, but your role may not do that."),
    )


class Conflict(BillingError):
    """The present state does not allow it (409)."""

    code, status, message = "conflict", 409, _("The present state does not allow this.")
