"""Addresses of the catalogue."""

from django.urls import path

from dashboard.pages.catalogue import (
    coupon_form,
    coupons,
    meters,
    plan_making,
    plans,
    price_changes,
    prices,
    pricing,
    products,
    versions,
)

app_name = "catalogue"
urlpatterns = [
    path("", prices.price_list, name="list"),
    path("products/", products.product_list, name="products"),
    path("products/new/", products.new_product, name="new_product"),
    path("products/<str:product_id>/", products.product_page, name="product"),
    path("products/<str:product_id>/edit/", products.change_product, name="change_product"),
    path(
        "products/<str:product_id>/archive/",
        products.put_product,
        {"way": "archive"},
        name="archive_product",
    ),
    path(
        "products/<str:product_id>/reopen/",
        products.put_product,
        {"way": "reopen"},
        name="reopen_product",
    ),
    path("products/<str:product_id>/prices/new/", pricing.new_price, name="new_price"),
    path("plans/", plans.plan_list, name="plans"),
    path("plans/new/", plan_making.new_plan, name="new_plan"),
    path("plans/<str:bundle_id>/edit/", plan_making.change_plan, name="change_plan"),
    path("plans/<str:bundle_id>/", plans.plan_page, name="plan"),
    path("plans/<str:bundle_id>/archive/", plans.put_plan, {"way": "archive"}, name="archive_plan"),
    path("plans/<str:bundle_id>/reopen/", plans.put_plan, {"way": "reopen"}, name="reopen_plan"),
    path("coupons/", coupons.coupon_list, name="coupons"),
    path("coupons/new/", coupon_form.new_coupon, name="new_coupon"),
    path("coupons/<str:coupon_id>/", coupons.coupon_page, name="coupon"),
    path("coupons/<str:coupon_id>/edit/", coupon_form.change_coupon, name="change_coupon"),
    path(
        "coupons/<str:coupon_id>/archive/",
        coupon_form.put_coupon,
        {"way": "archive"},
        name="archive_coupon",
    ),
    path(
        "coupons/<str:coupon_id>/reopen/",
        coupon_form.put_coupon,
        {"way": "reopen"},
        name="reopen_coupon",
    ),
    path("meters/", meters.meter_list, name="meters"),
    path("meters/new/", meters.new_meter, name="new_meter"),
    path("meters/<str:meter_id>/", meters.meter_page, name="meter"),
    path("meters/<str:meter_id>/edit/", meters.change_meter, name="change_meter"),
    path(
        "meters/<str:meter_id>/archive/",
        meters.put_meter,
        {"way": "archive"},
        name="archive_meter",
    ),
    path("meters/<str:meter_id>/reopen/", meters.put_meter, {"way": "reopen"}, name="reopen_meter"),
    path("prices/<str:price_id>/", prices.price_page, name="price"),
    path("price-changes/<str:job_id>/", price_changes.price_change, name="price_change"),
    path("prices/<str:price_id>/versions/new/", versions.new_version, name="new_version"),
    path("prices/<str:price_id>/end/", versions.end_price, name="end_price"),
    path("prices/<str:price_id>/edit/", pricing.change_price, name="change_price"),
    path(
        "prices/<str:price_id>/archive/",
        products.put_price,
        {"way": "archive"},
        name="archive_price",
    ),
    path(
        "prices/<str:price_id>/reopen/",
        products.put_price,
        {"way": "reopen"},
        name="reopen_price",
    ),
]
