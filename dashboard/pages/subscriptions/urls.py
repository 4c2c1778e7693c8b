"""Addresses of subscriptions."""

from django.urls import path

from dashboard.pages.subscriptions import (
    changing,
    contract,
    discounting,
    ending,
    items,
    listing,
    page,
    pausing,
    replanning,
    starting,
    upcoming,
)

app_name = "subscriptions"
urlpatterns = [
    path("", listing.subscription_list, name="list"),
    path("new/", starting.new_subscription, name="new"),
    path("<str:subscription_id>/", page.subscription_page, name="page"),
    path("<str:subscription_id>/items/new/", items.add_item, name="add_item"),
    path("<str:subscription_id>/items/<str:item_id>/", changing.change_item, name="change"),
    path(
        "<str:subscription_id>/items/<str:item_id>/remove/", items.remove_item, name="remove_item"
    ),
    path("<str:subscription_id>/next/", upcoming.next_three, name="next"),
    path("<str:subscription_id>/pause/", pausing.pause, name="pause"),
    path("<str:subscription_id>/resume/", pausing.resume, name="resume"),
    path("<str:subscription_id>/coupon/", discounting.redeem, name="redeem"),
    path("<str:subscription_id>/discount/", discounting.give, name="discount"),
    path(
        "<str:subscription_id>/discounts/<str:discount_id>/end/",
        discounting.end,
        name="end_discount",
    ),
    path("<str:subscription_id>/end/", ending.end, name="end"),
    path("<str:subscription_id>/plan/", replanning.another_plan, name="plan"),
    path("<str:subscription_id>/contract/", contract.contract, name="contract"),
    path("<str:subscription_id>/go-on/", ending.go_on, name="go_on"),
]
