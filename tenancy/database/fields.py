"""The base of every table that belongs to a tenant."""

from typing import Any

from django.db import models
from django.db.models.expressions import RawSQL

from tenancy.ids import uuid7


class TenantForeignKey(models.ForeignKey):  # type: ignore[type-arg]
    """A reference within one tenant.

    Row security does not check foreign keys, so Django's single-column constraint is left out and
    ``SecureTables`` makes one over ``(tenant_id, column)`` instead.
    """

    within_tenant = True

    def __init__(self, to: Any, on_delete: Any = models.PROTECT, **kwargs: Any) -> None:
        """Refer to ``to``; deletion is refused unless said otherwise."""
        kwargs["db_constraint"] = False
        kwargs.setdefault("related_name", "+")
        super().__init__(to, on_delete, **kwargs)


class TransactionField(models.BigIntegerField):  # type: ignore[type-arg]
    """The number of the transaction that wrote the row; the database gives it.

    Numbers are given when transactions begin to write, not when they end: a row may become
    visible after rows with higher numbers. ``tenancy.queries.events`` reads with that in mind.
    """

    given_by_database = True

    def __init__(self, **kwargs: Any) -> None:
        """Never edited; the number is the database's own, also of past 2^32 transactions."""
        kwargs["editable"] = False
        kwargs["db_default"] = RawSQL("(pg_current_xact_id()::text::bigint)", ())
        super().__init__(**kwargs)

    def deconstruct(self) -> Any:
        """Return how a migration file writes it: without what is always so."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {k: v for k, v in kwargs.items() if k == "verbose_name"}


class TenantModel(models.Model):
    """A row of one tenant: its id, and whose it is."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(
        "tenancy.Tenant",
        models.PROTECT,
        related_name="+",
        db_index=False,
        editable=False,
    )

    class Meta:
        abstract = True


class TenantPartModel(TenantModel):
    """A row that exists by the ten thousand and belongs to other rows of its tenant.

    Each of its two-column references says already that the tenant exists, so the database does
    not check it once more for every row.
    """

    tenant = models.ForeignKey(
        "tenancy.Tenant",
        models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
        editable=False,
    )

    class Meta:
        abstract = True


class TenantOneToOneField(models.OneToOneField):  # type: ignore[type-arg]
    """A one-to-one reference within one tenant, constrained like ``TenantForeignKey``."""

    within_tenant = True

    def __init__(self, to: Any, on_delete: Any = models.PROTECT, **kwargs: Any) -> None:
        """Refer to ``to``; deletion is refused unless said otherwise."""
        kwargs["db_constraint"] = False
        kwargs.setdefault("related_name", "+")
        super().__init__(to, on_delete, **kwargs)
