"""Tenants are kept apart twice: by every query's filter, and by PostgreSQL's row security."""

from accounts.tenancy.fields import (
    TenantForeignKey,
    TenantModel,
    TenantOneToOneField,
    TenantTreeForeignKey,
)
from accounts.tenancy.scopes import TenantMixed, current_tenant_id, operation, scope

__all__ = [
    "TenantForeignKey",
    "TenantMixed",
    "TenantModel",
    "TenantOneToOneField",
    "TenantTreeForeignKey",
    "current_tenant_id",
    "operation",
    "scope",
]
