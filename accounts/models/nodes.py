"""The account tree: what an account is, where it stands now, and where it stood."""

from datetime import date
from typing import Any, ClassVar

from django.db import connection, models
from django.utils.translation import gettext_lazy as _
from mptt.fields import TreeForeignKey
from mptt.managers import TreeManager
from mptt.models import MPTTModel

from tenancy.database import (
    TenantForeignKey,
    TenantModel,
    TenantOneToOneField,
    TenantPartModel,
)
from tenancy.ids import public_id

BEGINNING = date(1, 1, 1)
"""The start of an interval that has always held."""


class Account(TenantModel):
    """A node of a customer tree: a group, a company, a branch, a department, a person.

    Its identity (legal name, address, country, VAT id) is its own and never inherited (R2).
    ``contract_party`` is who signed: its bill-to on the day it was created (R1).
    ``merged_into`` is the account that a duplicate went up in: never one that was merged itself.
    ``sort_key`` orders siblings without any collation of the database (R26); ``search_key`` is
    what a search looks into: names, customer number, VAT id and e-mail address, folded.
    """

    class Kind(models.TextChoices):
        """What an account stands for."""

        GROUP = "group", _("Group")
        COMPANY = "company", _("Company")
        SUBSIDIARY = "subsidiary", _("Subsidiary")
        BRANCH = "branch", _("Branch")
        DEPARTMENT = "department", _("Department")
        PERSON = "person", _("Person")

    class Status(models.TextChoices):
        """Whether it can still be used."""

        ACTIVE = "active", _("Active")
        ARCHIVED = "archived", _("Archived")

    external_id = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001
    name = models.CharField(max_length=200)
    sort_key = models.CharField(max_length=400)
    search_key = models.TextField(blank=True, default="", db_default="")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.ACTIVE)
    legal_name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    line1 = models.CharField(max_length=200, blank=True)
    line2 = models.CharField(max_length=200, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=100, blank=True)
    region = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2, blank=True)
    vat_id = models.CharField(max_length=20, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    contract_party = TenantForeignKey("self", null=True, db_index=False)
    merged_into = TenantForeignKey("self", null=True, db_index=False)
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="account_external_id", fields=["tenant", "external_id"]),
            models.CheckConstraint(name="account_has_name", condition=~models.Q(name="")),
            models.CheckConstraint(
                name="account_merged_is_archived",
                condition=models.Q(merged_into__isnull=True) | models.Q(status="archived"),
            ),
            models.CheckConstraint(
                name="account_not_merged_into_itself",
                condition=~models.Q(merged_into=models.F("id")),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="account_by_name", fields=["tenant", "sort_key", "id"]),
            # Few accounts are ever merged.
            models.Index(
                name="account_merged",
                fields=["tenant", "merged_into"],
                condition=models.Q(merged_into__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    @property
    def public_id(self) -> str:
        """The id that integrators see."""
        return public_id("acc", self.id)


class TenantTreeForeignKey(TreeForeignKey):
    """The parent of a node within one tenant, constrained like ``TenantForeignKey``."""

    within_tenant = True

    def __init__(self, to: Any, on_delete: Any = models.PROTECT, **kwargs: Any) -> None:
        """Refer to ``to``; deletion is refused unless said otherwise."""
        kwargs["db_constraint"] = False
        super().__init__(to, on_delete, **kwargs)


class AccountNodeManager(TreeManager):
    """django-mptt's manager, its trees numbered by a sequence.

    Stock mptt takes ``MAX(tree_id) + 1``: two roots made at once, or two tenants that cannot see
    each other's rows, would share a tree.
    """

    def _get_next_tree_id(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval('accounts_tree_id')")
            (number,) = cursor.fetchone()
        return int(number)


class AccountNode(MPTTModel):
    """Where an account stands: a narrow row, because a write shifts many of them.

    ``parent`` is the truth; ``lft``, ``rght``, ``level`` and ``tree_id`` follow from it and are
    written by ``accounts.tree`` alone.
    """

    account = TenantOneToOneField(Account, primary_key=True, related_name="node")
    tenant = models.ForeignKey(
        "tenancy.Tenant",
        models.PROTECT,
        related_name="+",
        db_index=False,
        # The reference to the account says already that the tenant exists.
        db_constraint=False,
        editable=False,
    )
    # Other indexes begin with it; mptt's own would be one more to write for every node.
    tree_id = models.PositiveIntegerField(editable=False)
    parent = TenantTreeForeignKey("self", null=True, blank=True, related_name="children")

    objects: ClassVar[AccountNodeManager] = AccountNodeManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="account_node_left",
                fields=["tree_id", "lft"],
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.UniqueConstraint(
                name="account_node_right",
                fields=["tree_id", "rght"],
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                name="account_node_interval",
                condition=models.Q(lft__lt=models.F("rght")),
            ),
            models.CheckConstraint(
                name="account_node_not_own_parent",
                condition=~models.Q(parent=models.F("account")),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="account_node_roots", fields=["tenant", "tree_id", "lft"]),
        ]

    def __str__(self) -> str:
        """Return the id of the account."""
        return str(self.account_id)


class Placement(TenantPartModel):
    """One interval during which an account stood under one parent: the tree's history."""

    account = TenantForeignKey(Account, db_index=False)
    parent = TenantForeignKey(Account, null=True)
    valid_from = models.DateField(default=BEGINNING)
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="placement_once", fields=["tenant", "account", "valid_from"]
            ),
            models.UniqueConstraint(
                name="placement_now",
                fields=["account"],
                condition=models.Q(valid_to__isnull=True),
            ),
            models.CheckConstraint(
                name="placement_dates",
                condition=models.Q(valid_to__isnull=True)
                | models.Q(valid_to__gt=models.F("valid_from")),
            ),
        ]
        indexes: ClassVar = [
            # Few accounts ever move; who asks for them need not look at all the others.
            models.Index(
                name="placement_past",
                fields=["tenant", "account"],
                condition=models.Q(valid_to__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        """Return the account and since when."""
        return f"{self.account_id} since {self.valid_from}"
