"""Tenants are kept apart twice: by every query's filter, and by PostgreSQL's row security."""

from tenancy.database.fields import (
    TenantForeignKey,
    TenantModel,
    TenantOneToOneField,
    TenantPartModel,
    TransactionField,
)
from tenancy.database.scopes import TenantMixed, current_tenant_id, operation, scope

__all__ = [
    "TenantForeignKey",
    "TenantMixed",
    "TenantModel",
    "TenantOneToOneField",
    "TenantPartModel",
    "TransactionField",
    "current_tenant_id",
    "operation",
    "scope",
]
