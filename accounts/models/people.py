"""People, what they may do where, and keys of programs."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from accounts.models.nodes import Account
from tenancy.database import TenantForeignKey, TenantModel
from tenancy.ids import public_id, uuid7


class Person(AbstractBaseUser):
    """A login. One person may belong to several tenants; what is the tenants' lies elsewhere."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200)
    language = models.CharField(max_length=5, blank=True)
    is_active = models.BooleanField(default=True)
    is_operator = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = ["name"]

    objects = BaseUserManager()

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    def get_short_name(self) -> str:
        """Return the name."""
        return self.name


class StaffRole(models.TextChoices):
    """Roles of the tenant's own people."""

    SUPPORT = "support"
    BILLING = "billing"
    FINANCE_ADMIN = "finance_admin"
    AUDITOR = "auditor"
    DEVELOPER = "developer"
    OWNER = "owner"


class CustomerRole(models.TextChoices):
    """Roles of a customer's people, reaching the subtree of the account they are granted on."""

    VIEWER = "viewer"
    SUBSCRIPTION_MANAGER = "subscription_manager"
    BUYER = "buyer"
    APPROVER = "approver"
    FINANCE = "finance"
    ADMIN = "admin"


class Membership(TenantModel):
    """A person of the tenant's staff and their role."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="+")
    role = models.CharField(max_length=20, choices=StaffRole.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="membership_once", fields=["tenant", "person"])
        ]

    def __str__(self) -> str:
        """Return the role."""
        return self.role


class Contact(TenantModel):
    """A person in the customer's company; with ``person`` set they can sign in."""

    external_id = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001
    account = TenantForeignKey(Account)
    person = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=200)
    email = models.CharField(max_length=254)
    language = models.CharField(max_length=5, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="contact_external_id", fields=["tenant", "external_id"])
        ]

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    @property
    def public_id(self) -> str:
        """The id that integrators see."""
        return public_id("con", self.id)


class Grant(TenantModel):
    """A contact's role on an account, reaching everything below it."""

    contact = TenantForeignKey(Contact)
    account = TenantForeignKey(Account)
    role = models.CharField(max_length=20, choices=CustomerRole.choices)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="grant_once", fields=["tenant", "contact", "account", "role"]
            )
        ]

    def __str__(self) -> str:
        """Return the role."""
        return self.role

    @property
    def public_id(self) -> str:
        """The id that integrators see."""
        return public_id("grt", self.id)


class ApiKey(TenantModel):
    """A program's key: shown once, stored as SHA-256 (fast is right for a random secret)."""

    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=20)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    reach = TenantForeignKey(Account, null=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        """Return what can be shown of it."""
        return f"{self.prefix}…"
