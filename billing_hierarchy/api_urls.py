"""Addresses of the API below ``/api/v1/``."""

from django.urls import URLPattern, path, re_path, register_converter
from django.urls.converters import StringConverter
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from accounts.api import accounts, people, tenant
from accounts.api import settings as setting_plans
from accounts.middleware import without_actor
from billing_hierarchy.api_errors import unknown_address
from invoicing.api import (
    account_credits,
    alignments,
    archiving,
    charges,
    clock,
    corrections,
    discounts,
    invoice_files,
    invoices,
    plans,
    pools,
    prices,
    runs,
    settings,
)
from invoicing.api.subscription_life import (
    SubscriptionCancellation,
    SubscriptionContract,
    SubscriptionPause,
    SubscriptionPlan,
    SubscriptionReactivation,
    SubscriptionResumption,
    SubscriptionTerms,
)
from invoicing.api.subscriptions import SubscriptionChange
from reports.api.calendar import CalendarList
from subscriptions.api import catalogue, coupons, metering, subscriptions
from subscriptions.api import plans as bundles


class ReferenceConverter(StringConverter):
    """A public id, or ``ext:`` and the integrator's own, which may contain a slash."""

    regex = "ext:.+|[^/]+"


register_converter(ReferenceConverter, "reference")

openapi = without_actor(SpectacularJSONAPIView.as_view())
reference = without_actor(
    SpectacularSwaggerSplitView.as_view(url_name="openapi", template_name="developers/api.html")
)
"""What the API can do, to read and to try. Its script has an address of its own, and the page is
ours: the policy (CSP) allows nothing inline."""

urlpatterns: list[URLPattern] = [
    path("openapi.json", openapi, name="openapi"),
    path("me", accounts.Me.as_view()),
    path("tenant", tenant.TenantDetail.as_view()),
    path("accounts", accounts.AccountList.as_view()),
    path("accounts/<reference:account>/subtree", accounts.AccountSubtree.as_view()),
    path("accounts/<reference:account>/settings", settings.AccountSettings.as_view()),
    path("accounts/<reference:account>/settings/history", setting_plans.SettingHistory.as_view()),
    path("accounts/<reference:account>/settings/recall", setting_plans.SettingRecall.as_view()),
    path("accounts/<reference:account>/prices", prices.AccountPrices.as_view()),
    path("accounts/<reference:account>/moves", plans.AccountMoves.as_view()),
    path("accounts/<reference:account>/merge", plans.AccountMerge.as_view()),
    path("accounts/<reference:account>/archival", archiving.AccountArchival.as_view()),
    path("accounts/<reference:account>/reopening", accounts.AccountReopening.as_view()),
    path(
        "accounts/<reference:account>/discounts",
        discounts.AccountDiscounts.as_view(),
    ),
    path("accounts/<reference:account>/pools", pools.AccountPools.as_view()),
    path("accounts/<reference:account>/credits", account_credits.AccountCredits.as_view()),
    path("accounts/<reference:account>/release", charges.HeldRelease.as_view()),
    path("accounts/<reference:account>", accounts.AccountDetail.as_view()),
    path("alignments", alignments.AlignmentList.as_view()),
    path("products", catalogue.ProductList.as_view()),
    path("products/<reference:product>/archival", catalogue.ProductArchival.as_view()),
    path("products/<reference:product>/reopening", catalogue.ProductReopening.as_view()),
    path("products/<reference:product>", catalogue.ProductDetail.as_view()),
    path("prices", catalogue.PriceList.as_view()),
    path("prices/<reference:price>/archival", catalogue.PriceArchival.as_view()),
    path("prices/<reference:price>/reopening", catalogue.PriceReopening.as_view()),
    path("prices/<reference:price>/versions", prices.PriceVersions.as_view()),
    path("prices/<reference:price>/ending", prices.PriceEnding.as_view()),
    path("prices/<reference:price>", catalogue.PriceDetail.as_view()),
    path("plans", bundles.PlanList.as_view()),
    path("plans/<reference:bundle>/archival", bundles.PlanArchival.as_view()),
    path("plans/<reference:bundle>/reopening", bundles.PlanReopening.as_view()),
    path("plans/<reference:bundle>", bundles.PlanOne.as_view()),
    path("coupons", coupons.CouponList.as_view()),
    path("coupons/<str:coupon>/archival", coupons.CouponArchival.as_view()),
    path("coupons/<str:coupon>/reopening", coupons.CouponReopening.as_view()),
    path("coupons/<str:coupon>", coupons.CouponDetail.as_view()),
    path("discounts/<str:discount>/ending", discounts.DiscountEnding.as_view()),
    path("discounts/<str:discount>", discounts.DiscountDetail.as_view()),
    path("meters", metering.MeterList.as_view()),
    path("meters/<reference:meter>/archival", metering.MeterArchival.as_view()),
    path("meters/<reference:meter>/reopening", metering.MeterReopening.as_view()),
    path("meters/<reference:meter>", metering.MeterDetail.as_view()),
    path("pools/<str:pool>/ending", pools.PoolEnding.as_view()),
    path("pools/<str:pool>", pools.PoolDetail.as_view()),
    path("usage", metering.UsageList.as_view()),
    path("subscriptions", subscriptions.SubscriptionList.as_view()),
    path(
        "subscriptions/<reference:subscription>/cancellation",
        SubscriptionCancellation.as_view(),
    ),
    path(
        "subscriptions/<reference:subscription>/contract",
        SubscriptionContract.as_view(),
    ),
    path("subscriptions/<reference:subscription>/plan", SubscriptionPlan.as_view()),
    path(
        "subscriptions/<reference:subscription>/reactivation",
        SubscriptionReactivation.as_view(),
    ),
    path("subscriptions/<reference:subscription>/pause", SubscriptionPause.as_view()),
    path(
        "subscriptions/<reference:subscription>/resumption",
        SubscriptionResumption.as_view(),
    ),
    path(
        "subscriptions/<reference:subscription>/discounts",
        discounts.SubscriptionDiscounts.as_view(),
    ),
    path(
        "subscriptions/<reference:subscription>/changes",
        SubscriptionTerms.as_view(),
    ),
    path(
        "subscriptions/<reference:subscription>",
        SubscriptionChange.as_view(),
    ),
    path("test-clock", clock.TestClock.as_view()),
    path("jobs/<str:job>", prices.JobDetail.as_view()),
    path("contacts", people.ContactList.as_view()),
    path("contacts/<reference:contact>", people.ContactDetail.as_view()),
    path("grants", people.GrantList.as_view()),
    path("grants/<str:grant>", people.GrantDetail.as_view()),
    path("grants/<str:grant>/ending", people.GrantEnding.as_view()),
    path("invoices", invoices.InvoiceList.as_view()),
    path("invoices/<str:invoice>", invoices.InvoiceDetail.as_view()),
    path("invoices/<str:invoice>/pdf", invoice_files.InvoicePdf.as_view()),
    path("invoices/<str:invoice>/issuance", invoices.InvoiceIssuance.as_view()),
    path("invoices/<str:invoice>/corrections", corrections.InvoiceCorrections.as_view()),
    path("invoices/<str:invoice>/withdrawal", invoices.InvoiceWithdrawal.as_view()),
    path("lines/<str:line>/explanation", invoices.LineExplanation.as_view()),
    path("charges", charges.ChargeList.as_view()),
    path("charges/<str:charge>", charges.ChargeDetail.as_view()),
    path("charges/<str:charge>/cancellation", charges.ChargeCancellation.as_view()),
    path("calendar", CalendarList.as_view()),
    path("billing-runs", runs.RunList.as_view()),
    path("billing-runs/<str:run>", runs.RunDetail.as_view()),
    path("billing-runs/<str:run>/approval", runs.RunApproval.as_view()),
    path("billing-runs/<str:run>/rejection", runs.RunRejection.as_view()),
    path("change-plans", plans.PlanList.as_view()),
    path("change-plans/<str:plan>", plans.PlanDetail.as_view()),
    path("change-plans/<str:plan>/submission", plans.PlanSubmission.as_view()),
    path("change-plans/<str:plan>/approval", plans.PlanApproval.as_view()),
    path("change-plans/<str:plan>/acceptance", plans.PlanAcceptance.as_view()),
    path("change-plans/<str:plan>/withdrawal", plans.PlanWithdrawal.as_view()),
    path("change-plans/<str:plan>/reversal", plans.PlanReversal.as_view()),
    path("change-plans/<str:plan>/interruption", plans.PlanInterruption.as_view()),
    path("change-plans/<str:plan>/resumption", plans.PlanResumption.as_view()),
    path("change-plans/<str:plan>/comments", plans.PlanComments.as_view()),
    re_path("", unknown_address),
]
