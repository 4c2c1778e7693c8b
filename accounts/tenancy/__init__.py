"""Tenants are kept apart twice: by every query's filter, and by PostgreSQL's row security."""

from accounts.tenancy.fields import (
    TenantForeignKey,
    TenantModel,
    TenantOneToOneField,
    TenantPartModel,
    TenantTreeForeignKey,
)
from accounts.tenancy.scopes import TenantMixed, current_tenant_id, operation, scope

__all__ = [
    "TenantForeignKey",
    "TenantMixed",
    "TenantModel",
    "TenantOneToOneField",
    "TenantPartModel",
    "TenantTreeForeignKey",
    "current_tenant_id",
    "operation",
    "scope",
]
