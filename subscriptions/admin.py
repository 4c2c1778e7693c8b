"""What operators of the platform see of subscriptions; all read-only."""

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from accounts.admin import ReadOnlyAdmin
from subscriptions.models import Subscription


class SubscriptionAdmin(ReadOnlyAdmin):
    """Who has subscribed, since when, until when."""

    names = (_("Subscription"), _("Subscriptions"))
    list_display = ("external_id", "account", "start_date", "end_date")
    list_select_related = ("account",)
    search_fields = ("external_id", "account__name")
    ordering = ("account__sort_key", "id")


ADMINS: dict[type[Model], type[ReadOnlyAdmin]] = {Subscription: SubscriptionAdmin}
