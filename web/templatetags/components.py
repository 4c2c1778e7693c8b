"""Tags behind the components: icons, and the wrappers that take content."""

from functools import cache

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide

register = template.Library()


@register.simple_tag
def icon(name: str, size: int = 18) -> SafeString:
    """Draw an icon; it says nothing to screen readers, the text beside it does."""
    return _icon(str(name), size)


@cache
def _icon(name: str, size: int) -> SafeString:
    drawn = lucide(name, size=size, stroke_width="1.75", aria_hidden="true", focusable="false")
    return mark_safe(drawn)  # noqa: S308 - drawn by the icon package, from a name of ours


@register.simple_block_tag
def card(content: SafeString, title: str, id: str) -> SafeString:  # noqa: A002 - HTML's word
    """Wrap content into a card with a title."""
    return render_to_string("components/_card.html", {"content": content, "title": title, "id": id})


@register.simple_block_tag
def page_head(content: SafeString, title: str, **parts: object) -> SafeString:
    """Write the head of a page: breadcrumb ``steps``, title, ``badges``, the actions inside."""
    actions = content if content.strip() else ""
    return render_to_string(
        "components/_page_head.html", {"content": actions, "title": title, **parts}
    )


@register.simple_block_tag
def dialog(content: SafeString, title: str, id: str, kind: str = "dialog") -> SafeString:  # noqa: A002
    """Wrap content into a dialog with its title and a button that closes it."""
    return render_to_string(
        "components/_dialog.html", {"content": content, "title": title, "id": id, "kind": kind}
    )


@register.simple_block_tag(takes_context=True)
def bulk_bar(
    context: template.Context, content: SafeString, url: str, **parts: object
) -> SafeString:
    """Write the bar for what is selected in a table; the buttons inside say what to do with it.

    ``kept`` are hidden values; ``everything`` is how many match in all, where all can be taken,
    or, with ``of_tree``, are in the tree. With ``posts`` the selection is sent in the body, where
    there is room for very many.
    """
    values = {"content": content, "url": url, "csrf_token": context.get("csrf_token"), **parts}
    return render_to_string("components/_bulk_bar.html", values)
