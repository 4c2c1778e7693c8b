"""What operators of the platform see of tenants, people's money and structure; all read-only."""

from typing import Any

from django.contrib.admin import ModelAdmin, display
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Seller
from tenancy.database import current_tenant_id
from tenancy.models import AuditEntry, Job, Tenant

NODES_SHOWN = 500


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[type-arg]
    """Lists and details of the tenant that was entered; nothing can be added or changed."""

    actions = None
    list_per_page = 50
    show_full_result_count = False
    tenant_field = "tenant_id"
    names: tuple[Promise, Promise]
    """What one row and what many are called."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows of the tenant whose transaction runs, none outside of one."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.filter(**{self.tenant_field: current_tenant_id()})

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Return every field: also those that forms leave out."""
        own = [field.name for field in self.opts.concrete_fields if field.name not in self.hidden]
        return [*own, *self.computed]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        """Return the same fields in the same order."""
        return self.get_readonly_fields(request, obj)

    hidden: tuple[str, ...] = ()
    computed: tuple[str, ...] = ()

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Return whether anything is shown at all: in an entered tenant alone."""
        return current_tenant_id() is not None

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether rows are shown: in an entered tenant alone."""
        return current_tenant_id() is not None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False


class TenantAdmin(ReadOnlyAdmin):
    """The tenant itself."""

    names = (_("Tenant"), _("Tenants"))
    tenant_field = "pk"
    list_display = ("name", "slug", "country", "currency", "is_sandbox", "created_at")
    ordering = ("slug",)


class SellerAdmin(ReadOnlyAdmin):
    """Its legal entities."""

    names = (_("Seller"), _("Sellers"))
    list_display = ("name", "city", "country", "vat_id", "is_placeholder")
    ordering = ("created_at", "id")


class AccountAdmin(ReadOnlyAdmin):
    """Its customers; a detail shows the whole tree that an account stands in."""

    names = (_("Account"), _("Accounts"))
    list_display = ("indented", "external_id", "kind", "status", "city", "country")
    list_select_related = ("node",)
    search_fields = ("name", "external_id")
    ordering = ("node__tree_id", "node__lft")
    computed = ("whole_tree",)

    @display(description=_("Name"), ordering="node__lft")
    def indented(self, account: Account) -> SafeString:
        """Return the name, indented by its level."""
        level = account.node.level
        return format_html('<span class="level l{}">{}</span>', min(level, 12), account.name)

    @display(description=_("Tree"))
    def whole_tree(self, account: Account) -> SafeString:
        """Return the tree of the account as an indented list."""
        nodes = (
            Account.objects.filter(tenant_id=account.tenant_id, node__tree_id=account.node.tree_id)
            .select_related("node")
            .order_by("node__lft")[:NODES_SHOWN]
        )
        return format_html(
            '<ul class="tree">{}</ul>',
            format_html_join(
                "",
                '<li class="level l{}{}">{} <code>{}</code></li>',
                (
                    (
                        min(one.node.level, 12),
                        " here" if one.pk == account.pk else "",
                        one.name,
                        one.external_id or one.public_id,
                    )
                    for one in nodes
                ),
            ),
        )


class JobAdmin(ReadOnlyAdmin):
    """Its background work."""

    names = (_("Job"), _("Jobs"))
    list_display = ("kind", "status", "done", "total", "created_by_label", "created_at")
    list_filter = ("kind", "status")
    ordering = ("-created_at", "-id")


class AuditEntryAdmin(ReadOnlyAdmin):
    """Its audit trail, operators' own entries among them."""

    names = (_("Audit entry"), _("Audit entries"))
    list_display = ("at", "action", "actor_label", "origin", "account", "request_id")
    list_select_related = ("account",)
    list_filter = ("origin",)
    search_fields = ("action", "actor_label", "request_id")
    ordering = ("-at", "-id")


ADMINS: dict[type[Model], type[ReadOnlyAdmin]] = {
    Tenant: TenantAdmin,
    Seller: SellerAdmin,
    Account: AccountAdmin,
    Job: JobAdmin,
    AuditEntry: AuditEntryAdmin,
}
