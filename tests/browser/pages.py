"""The registry of pages: what is walked in a browser. A new page is one line."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PageEntry:
    """A page to walk: its name, its address with placeholders, and who looks at it.

    ``who`` is ``staff``, ``customer`` (the whole group), ``department`` (one branch of it),
    ``payer`` (another firm, which was asked to pay for the group),
    ``owner``, ``newcomer`` (staff of a vendor without invoices), ``operator`` (of the platform,
    in the vendor) or empty for somebody not signed in.
    ``opens`` is what is clicked first, ``shows`` what then has to be there, and ``covers`` whether
    it lies over a part of the page: what it half covers is too small then, and is none to touch.
    """

    name: str
    url: str
    who: str = "staff"
    opens: str = ""
    shows: str = "h1"
    covers: bool = False


PAGES = (
    PageEntry("sign-in", "/sign-in/", who=""),
    PageEntry("companies", "/companies/"),
    PageEntry("invoices", "/invoices/"),
    PageEntry("invoices, nothing found", "/invoices/?q=nothing&currency=CHF"),
    PageEntry("invoices, none yet", "/invoices/", who="newcomer"),
    PageEntry(
        "invoices, filters", "/invoices/?due=month", opens="details:has(.filter-panel) > summary"
    ),
    PageEntry(
        "invoices, selected", "/invoices/", opens="tbody .pick label", shows=".bulk [data-count]"
    ),
    PageEntry(
        "invoices, drawer", "/invoices/", opens="a[data-drawer]", shows=".drawer[open] .glance"
    ),
    PageEntry("invoice, quick view", "/invoices/{invoice}/glance/"),
    PageEntry("invoice", "/invoices/{invoice}/"),
    PageEntry("invoice, why", "/invoices/{invoice}/", opens="a[data-why]", shows=".why-row"),
    PageEntry(
        "invoice, subtotals",
        "/invoices/{invoice}/?view=subtotals",
        opens="a.fold",
        shows="tr.subtotal",
    ),
    PageEntry("customers", "/customers/"),
    PageEntry(
        "customers, all, columns", "/customers/?all=1", opens="details[name=table-menu] summary"
    ),
    PageEntry(
        "customers, filters",
        "/customers/?all=1",
        opens="details:has(.filter-panel) > summary",
    ),
    PageEntry("customers, another day", "/customers/?all=1&as_of=2026-11-01&columns=cost_centre"),
    PageEntry("customers, nothing found", "/customers/?q=nothing"),
    PageEntry("customers, none yet", "/customers/", who="newcomer"),
    PageEntry("customers, change", "/customers/change/?account={account}&account={branch}"),
    PageEntry("customers, change of very many", "/customers/change/jobs/{edit}/"),
    PageEntry(
        "customers, selected",
        "/customers/?all=1",
        opens="tbody .pick label",
        shows=".bulk [data-count]",
    ),
    PageEntry("customer, new", "/customers/new/"),
    PageEntry(
        "customer, new, refused",
        "/customers/new/",
        opens="main form .primary",
        shows="#form-errors",
    ),
    PageEntry("sub-accounts, new", "/customers/{account}/new/"),
    PageEntry("account", "/customers/{account}/"),
    PageEntry("import below", "/customers/{account}/import/"),
    PageEntry("account, form", "/customers/{account}/edit/"),
    PageEntry("contacts and access", "/customers/{branch}/people/"),
    PageEntry("contacts, none yet", "/customers/{empty}/people/", who="owner"),
    PageEntry("contact", "/customers/{branch}/people/{contact}/"),
    PageEntry("contact, remove", "/customers/{branch}/people/{contact}/remove/"),
    PageEntry(
        "contact, remove, dialog",
        "/customers/{branch}/people/{contact}/",
        opens="a[data-dialog]",
        shows=".dialog[open] .danger",
    ),
    PageEntry("contact, new", "/customers/{branch}/people/new/"),
    PageEntry("account, archive", "/customers/{account}/archive/"),
    PageEntry("account, archive, free", "/customers/{empty}/archive/"),
    PageEntry("account, next invoice loaded", "/customers/{account}/", shows="#upcoming table"),
    PageEntry("next invoice of an account", "/customers/{account}/upcoming/"),
    PageEntry("tree", "/customers/{account}/tree/", shows="[role=treegrid] tr[tabindex='0']"),
    PageEntry("tree, searched", "/customers/{account}/tree/?q=gem", shows="mark"),
    PageEntry("org chart", "/customers/{account}/chart/", shows="[role=treeitem][tabindex='0']"),
    PageEntry(
        "org chart, export",
        "/customers/{account}/chart/",
        opens="details[data-export] summary",
        shows="[data-chart-png]",
    ),
    PageEntry("money flow", "/customers/{account}/flow/", shows=".flow"),
    PageEntry("money flow, invoiced", "/customers/{account}/flow/?of=invoiced", shows=".flow"),
    PageEntry("responsibilities", "/customers/{account}/responsibilities/"),
    PageEntry("responsibilities, none", "/customers/{account}/responsibilities/?from=99"),
    PageEntry("subscriptions of an account", "/customers/{account}/subscriptions/"),
    PageEntry("subscriptions of a tree", "/customers/{account}/subscriptions/?below=1"),
    PageEntry("subscriptions of an account, none", "/customers/{empty}/subscriptions/"),
    PageEntry("charges of an account", "/customers/{account}/charges/"),
    PageEntry("charges of a tree", "/customers/{account}/charges/?below=1&status=invoiced"),
    PageEntry("charges of an account, none", "/customers/{empty}/charges/"),
    PageEntry("charge, new", "/customers/{branch}/charges/new/"),
    PageEntry(
        "charge, new, refused",
        "/customers/{branch}/charges/new/",
        opens="main form .primary",
        shows="#form-errors",
    ),
    PageEntry("charge, cancel", "/customers/{branch}/charges/{charge}/cancel/"),
    PageEntry("settings of an account", "/customers/{account}/settings/"),
    PageEntry(
        "settings of an account, a later day", "/customers/{account}/settings/?as_of=2027-06-01"
    ),
    PageEntry("setting", "/customers/{account}/settings/payment_terms_days/"),
    PageEntry("setting, bill-to", "/customers/{account}/settings/bill_to/"),
    PageEntry(
        "setting, what it does",
        "/customers/{account}/settings/payment_terms_days/",
        opens="main form .primary",
        shows="main .effects, main .form-errors",
    ),
    PageEntry("history of an account", "/customers/{account}/history/"),
    PageEntry("calendar", "/calendar/?month=2026-12"),
    PageEntry("calendar, a day", "/calendar/?view=month&day=2026-12-01", shows="#day li"),
    PageEntry("calendar, agenda", "/calendar/?view=agenda&in={account}", shows=".agenda li"),
    PageEntry("calendar, year", "/calendar/?view=year&year=2027", shows=".heat.step-4"),
    PageEntry("calendar, year in money", "/calendar/?view=year&year=2027&by=amount"),
    PageEntry(
        "calendar, filters",
        "/calendar/?month=2026-12&kinds=invoice&least=10",
        opens="details:has(.filter-panel) > summary",
    ),
    PageEntry("calendar, nothing there", "/calendar/?month=2020-01"),
    PageEntry("calendar feeds", "/calendar/feeds/"),
    PageEntry("calendar feeds, of an account", "/calendar/feeds/?in={account}", who="owner"),
    PageEntry(
        "calendar feeds, a new one",
        "/calendar/feeds/",
        opens="main form .primary",
        shows="#new-address",
    ),
    PageEntry("calendar feed", "/calendar/feeds/{feed}/"),
    PageEntry("portal calendar feeds", "/portal/calendar/feeds/", who="customer"),
    PageEntry("calendar, none yet", "/calendar/", who="newcomer"),
    PageEntry("portal calendar", "/portal/calendar/?month=2027-01", who="customer"),
    PageEntry("portal calendar of a part", "/portal/calendar/?view=agenda", who="department"),
    PageEntry("plans", "/plans/"),
    PageEntry("plans, none yet", "/plans/", who="newcomer"),
    PageEntry("plan", "/plans/{plan}/"),
    PageEntry("plan, new", "/plans/new/?kind=move&account={branch}"),
    PageEntry(
        "plan, previewed",
        "/plans/new/?kind=move&account={branch}&choice=none&effective_date=2027-02-01",
        shows="#plan-invoices",
    ),
    PageEntry("plan, merge", "/plans/new/?kind=merge&account={branch}"),
    PageEntry(
        "plan, merge previewed",
        "/plans/new/?kind=merge&account={branch}&target={account}&effective_date=2027-02-01",
        shows="#merge-comes",
    ),
    PageEntry("align renewals", "/customers/{account}/align/"),
    PageEntry("align renewals, date", "/customers/{account}/align/date/", shows=".align-chart"),
    PageEntry("align renewals, method", "/customers/{account}/align/method/?on=1-1&method=long"),
    PageEntry(
        "align renewals, preview",
        "/customers/{account}/align/preview/?on=10-4",
        shows="#alignment",
    ),
    PageEntry("plan, move", "/plans/move/?account={branch}"),
    PageEntry(
        "tree, selected",
        "/customers/{account}/tree/",
        opens="[data-pick] >> nth=1",
        shows=".bulk [data-count]",
    ),
    PageEntry(
        "account, moved from its page",
        "/customers/{branch}/",
        opens="a[data-dialog]",
        shows=".dialog[open] [role=combobox]",
    ),
    PageEntry(
        "account, more actions",
        "/customers/{branch}/",
        opens="details[name=account-menu] > summary",
        shows="details[name=account-menu][open] .panel",
    ),
    PageEntry(
        "plan, subscription",
        "/plans/new/?kind=subscription&account={account}&subscription={subscription}",
    ),
    PageEntry("plan, recipient", "/plans/new/?kind=bill_to&account={branch}"),
    PageEntry("search", "/search/?q=gruppe"),
    PageEntry(
        "palette",
        "/customers/",
        opens="a[data-opens=palette-dialog]",
        shows=".finder [role=option]",
    ),
    PageEntry(
        "scope", "/invoices/", opens="a[data-opens=scope-dialog]", shows=".finder [role=option]"
    ),
    PageEntry("section", "/invoices/{invoice}/sections/1/"),
    PageEntry("why", "/invoices/{invoice}/lines/{line}/why/"),
    PageEntry(
        "menu",
        "/invoices/",
        opens="details.menu > summary",
        shows=".menu[open] .panel",
        covers=True,
    ),
    PageEntry("subscriptions", "/subscriptions/"),
    PageEntry("subscriptions, nothing found", "/subscriptions/?status=future"),
    PageEntry("subscriptions, none yet", "/subscriptions/", who="newcomer"),
    PageEntry("subscription", "/subscriptions/{subscription}/"),
    PageEntry("subscription, change", "/subscriptions/{subscription}/items/{item}/"),
    PageEntry("subscription, add", "/subscriptions/{subscription}/items/new/"),
    PageEntry("subscription, remove", "/subscriptions/{subscription}/items/{item}/remove/"),
    PageEntry("subscription, pause", "/subscriptions/{subscription}/pause/"),
    PageEntry("subscription, resume", "/subscriptions/{subscription}/resume/"),
    PageEntry("subscription, end", "/subscriptions/{subscription}/end/"),
    PageEntry("subscription, contract", "/subscriptions/{subscription}/contract/"),
    PageEntry("subscription, coupon", "/subscriptions/{subscription}/coupon/"),
    PageEntry("subscription, discount", "/subscriptions/{subscription}/discount/"),
    PageEntry(
        "subscription, discount ended",
        "/subscriptions/{subscription}/discounts/{discount}/end/",
    ),
    PageEntry("new subscription", "/subscriptions/new/"),
    PageEntry("catalogue", "/catalogue/"),
    PageEntry("catalogue, nothing found", "/catalogue/?q=nothing"),
    PageEntry("catalogue, none yet", "/catalogue/", who="newcomer"),
    PageEntry("price", "/catalogue/prices/{price}/"),
    PageEntry("price, change", "/catalogue/prices/{price}/edit/"),
    PageEntry("coupons", "/catalogue/coupons/"),
    PageEntry("coupons, none yet", "/catalogue/coupons/", who="newcomer"),
    PageEntry("coupon", "/catalogue/coupons/{coupon}/"),
    PageEntry("coupon, change", "/catalogue/coupons/{coupon}/edit/"),
    PageEntry("new coupon", "/catalogue/coupons/new/"),
    PageEntry("products", "/catalogue/products/"),
    PageEntry("products, none yet", "/catalogue/products/", who="newcomer"),
    PageEntry("product", "/catalogue/products/{product}/"),
    PageEntry("product, change", "/catalogue/products/{product}/edit/"),
    PageEntry("new product", "/catalogue/products/new/"),
    PageEntry("new price", "/catalogue/products/{product}/prices/new/"),
    PageEntry("runs", "/runs/"),
    PageEntry("runs, none yet", "/runs/", who="newcomer"),
    PageEntry("run", "/runs/{run}/"),
    PageEntry("run, to approve", "/runs/{waiting_run}/"),
    PageEntry("run, approval", "/runs/{waiting_run}/approve/"),
    PageEntry(
        "run, approval in a dialog",
        "/runs/{waiting_run}/",
        opens="a[data-dialog]",
        shows=".dialog[open] form",
    ),
    PageEntry("run, rejection", "/runs/{waiting_run}/take-back/"),
    PageEntry("runs, held back", "/runs/held/"),
    PageEntry("run, new", "/runs/new/?date=2027-02-01"),
    PageEntry(
        "run, refused",
        "/runs/new/?date=2020-01-01",
        opens="main form .primary",
        shows="#form-errors",
    ),
    PageEntry("import", "/import/"),
    PageEntry("import, columns", "/import/columns/"),
    PageEntry("import, no file", "/import/", opens="main form .primary", shows="#form-errors"),
    PageEntry("settings", "/settings/sellers/"),
    PageEntry("seller", "/settings/sellers/{seller}/"),
    PageEntry("bank account, form", "/settings/sellers/{seller}/bank-accounts/", who="owner"),
    PageEntry("bank account", "/settings/sellers/{seller}/bank-accounts/USD/", who="owner"),
    PageEntry("seller, form", "/settings/sellers/{seller}/edit/", who="owner"),
    PageEntry("settings, approval", "/settings/approval/", who="owner"),
    PageEntry("settings, defaults", "/settings/defaults/", who="owner"),
    PageEntry("settings, a default", "/settings/defaults/payment_terms_days/", who="owner"),
    PageEntry("settings, time zone", "/settings/time-zone/", who="owner"),
    PageEntry("test clock", "/settings/test-clock/"),
    PageEntry(
        "test clock, question",
        "/settings/test-clock/",
        opens="#clock form button",
        shows="#clock [name=confirmed]",
    ),
    PageEntry("style guide", "/styleguide/"),
    PageEntry("not found", "/invoices/nothing/"),
    PageEntry("not found, no such address", "/no/such/page/"),
    PageEntry("not found, nobody", "/no/such/page/", who=""),
    PageEntry("operators, enter", "/admin/enter/", who="operator"),
    PageEntry("operators, home", "/admin/", who="operator"),
    PageEntry("operators, accounts", "/admin/accounts/account/", who="operator"),
    PageEntry(
        "operators, account", "/admin/accounts/account/{account_key}/change/", who="operator"
    ),
    PageEntry("operators, invoices", "/admin/invoicing/invoice/", who="operator"),
    PageEntry(
        "operators, invoice", "/admin/invoicing/invoice/{invoice_key}/change/", who="operator"
    ),
    PageEntry("portal", "/portal/", who="customer"),
    PageEntry("portal, one department", "/portal/", who="department"),
    PageEntry("portal, forbidden", "/styleguide/", who="customer"),
    PageEntry("portal, invoices", "/portal/invoices/", who="customer"),
    PageEntry("portal, invoice", "/portal/invoices/{invoice}/", who="customer"),
    PageEntry(
        "portal, drawer", "/portal/invoices/", "department", "a[data-drawer]", ".drawer .glance"
    ),
    PageEntry("portal, asked", "/portal/", who="payer"),
    PageEntry("portal, requests", "/portal/requests/", who="payer"),
    PageEntry("portal, no requests", "/portal/requests/", who="customer"),
    PageEntry("portal, request", "/portal/requests/{request}/", who="payer"),
    PageEntry("portal, extract", "/portal/invoices/{invoice}/", who="department"),
)
