"""Addresses of customers."""

from django.urls import path

from dashboard.pages.customers import (
    account,
    archiving,
    charges,
    charging,
    chart,
    contact,
    contact_removing,
    creating,
    discounts,
    editing,
    flow,
    history,
    listing,
    many,
    many_job,
    people,
    prices,
    responsibilities,
    setting_change,
    settings,
    subscriptions,
    subtree_file,
    tree,
    upcoming,
    usage,
)
from dashboard.pages.imports import below as import_below
from dashboard.pages.plans import aligning

app_name = "customers"
urlpatterns = [
    path("", listing.customer_list, name="list"),
    path("change/", many.edit_selected, name="edit_selected"),
    path("change/jobs/<str:job_id>/", many_job.edit_job, name="edit_job"),
    path("new/", creating.new_customer, name="new"),
    path("<str:account_id>/", account.account_page, name="page"),
    path("<str:account_id>/edit/", editing.edit_page, name="edit"),
    path("<str:account_id>/new/", creating.new_sub_accounts, name="new_below"),
    path("<str:account_id>/prices/", prices.prices_page, name="prices"),
    path("<str:account_id>/people/", people.people_page, name="people"),
    path("<str:account_id>/people/new/", contact.new_contact, name="new_contact"),
    path("<str:account_id>/people/<str:contact_id>/", contact.contact_page, name="contact"),
    path("<str:account_id>/people/<str:contact_id>/roles/", contact.give_role, name="give_role"),
    path(
        "<str:account_id>/people/<str:contact_id>/remove/",
        contact_removing.remove_page,
        name="remove_contact",
    ),
    path("<str:account_id>/people/roles/<str:grant_id>/end/", people.end_role, name="end_role"),
    path("<str:account_id>/discounts/", discounts.account_discounts, name="discounts"),
    path("<str:account_id>/discounts/new/", discounts.give_discount, name="give_discount"),
    path(
        "<str:account_id>/discounts/<str:discount_id>/end/",
        discounts.end_discount,
        name="end_discount",
    ),
    path("<str:account_id>/archive/", archiving.archive_page, name="archive"),
    path("<str:account_id>/reopen/", archiving.reopen, name="reopen"),
    path("<str:account_id>/tree/", tree.tree_page, name="tree"),
    path("<str:account_id>/import/", import_below.import_below, name="import_below"),
    path(
        "<str:account_id>/import/<str:kind>.csv", import_below.example_below, name="import_example"
    ),
    path("<str:account_id>/import-file/", subtree_file.subtree_file, name="subtree_file"),
    path("<str:account_id>/chart/", chart.chart_page, name="chart"),
    path("<str:account_id>/flow/", flow.flow_page, name="flow"),
    path(
        "<str:account_id>/responsibilities/",
        responsibilities.responsibilities_page,
        name="responsibilities",
    ),
    path(
        "<str:account_id>/subscriptions/",
        subscriptions.subscriptions_page,
        name="subscriptions",
    ),
    path("<str:account_id>/charges/", charges.charges_page, name="charges"),
    path("<str:account_id>/charges/new/", charging.add_charge_page, name="add_charge"),
    path(
        "<str:account_id>/charges/<str:charge_id>/cancel/",
        charging.cancel_charge_page,
        name="cancel_charge",
    ),
    path("<str:account_id>/usage/", usage.usage_page, name="usage"),
    path("<str:account_id>/upcoming/", upcoming.upcoming_page, name="upcoming"),
    path("<str:account_id>/settings/", settings.settings_page, name="settings"),
    path(
        "<str:account_id>/settings/<str:setting>/",
        setting_change.change_setting,
        name="change_setting",
    ),
    path(
        "<str:account_id>/settings/<str:setting>/recall/",
        setting_change.recall_setting,
        name="recall_setting",
    ),
    path("<str:account_id>/align/", aligning.choose, name="align"),
    path("<str:account_id>/align/date/", aligning.choose_date, name="align_date"),
    path("<str:account_id>/align/method/", aligning.choose_method, name="align_method"),
    path("<str:account_id>/align/preview/", aligning.preview, name="align_preview"),
    path("<str:account_id>/history/", history.history_page, name="history"),
]
