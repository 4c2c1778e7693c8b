"""The registry of pages: what is walked in a browser. A new page is one line."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PageEntry:
    """A page to walk: its name, its address with placeholders, and who looks at it.

    ``who`` is ``staff``, ``customer`` (the whole group), ``department`` (one branch of it),
    ``newcomer`` (staff of a vendor without invoices) or empty for somebody not signed in.
    ``opens`` is what is clicked first, ``shows`` what then has to be there.
    """

    name: str
    url: str
    who: str = "staff"
    opens: str = ""
    shows: str = "h1"


PAGES = (
    PageEntry("sign-in", "/sign-in/", who=""),
    PageEntry("companies", "/companies/"),
    PageEntry("invoices", "/invoices/"),
    PageEntry("invoices, nothing found", "/invoices/?q=nothing&currency=CHF"),
    PageEntry("invoices, none yet", "/invoices/", who="newcomer"),
    PageEntry("invoice", "/invoices/{invoice}/"),
    PageEntry("invoice, why", "/invoices/{invoice}/", opens="a[data-why]", shows=".why-row"),
    PageEntry(
        "invoice, subtotals",
        "/invoices/{invoice}/?view=subtotals",
        opens="a.fold",
        shows="tr.subtotal",
    ),
    PageEntry("section", "/invoices/{invoice}/sections/1/"),
    PageEntry("why", "/invoices/{invoice}/lines/{line}/why/"),
    PageEntry("menu", "/invoices/", opens="details.menu > summary", shows=".menu[open] .panel"),
    PageEntry("style guide", "/styleguide/"),
    PageEntry("not found", "/invoices/nothing/"),
    PageEntry("portal", "/portal/", who="customer"),
    PageEntry("portal, forbidden", "/styleguide/", who="customer"),
    PageEntry("portal, invoices", "/portal/invoices/", who="customer"),
    PageEntry("portal, invoice", "/portal/invoices/{invoice}/", who="customer"),
    PageEntry("portal, extract", "/portal/invoices/{invoice}/", who="department"),
)
