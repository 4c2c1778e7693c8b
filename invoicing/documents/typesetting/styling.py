"""Styles keep what was computed of them: documents are made of the same elements over and over.

The library computes each property of each element's style for every document. Here a style that
follows from the same declarations below the same parent as one of a document before begins with
the values that were computed there. Within a document the library shares such styles itself.
"""

from typing import Any, Final

from weasyprint import css
from weasyprint.text.fonts import FontConfiguration

MOST_KEPT: Final = 2_000
"""Styles kept, each some kilobytes; when there are more, all are let go."""

_SPECIFIED: Final = ("position", "float", "display")

_ComputedStyle: Any = css.ComputedStyle
_AnonymousStyle: Any = css.AnonymousStyle


class Kept:
    """What is known of a style: its computed values, and the styles below it."""

    __slots__ = ("_anonymous", "_below", "looks", "specified", "values")

    def __init__(self) -> None:
        """Begin with nothing known."""
        self.values: dict[str, Any] = {}
        self.specified: dict[str, Any] = {}
        self.looks: tuple[Any, ...] | None = None
        self._anonymous: Kept | None = None
        self._below: dict[Any, Kept] = {}

    @property
    def anonymous(self) -> "Kept":
        """What is known of the style of boxes that no element makes."""
        if self._anonymous is None:
            self._anonymous = Kept()
        return self._anonymous

    def below(self, declared: tuple[Any, ...]) -> tuple["Kept", bool]:
        """Return what is known of a style below this one, and whether it is new."""
        found = self._below.get(declared)
        if found is not None:
            return found, False
        made = self._below[declared] = Kept()
        return made, True


class Styles(FontConfiguration):
    """The fonts of a thread, and what is known of styles in them."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        super().__init__()
        self._root, self._count = Kept(), 0
        self._declared: dict[int, tuple[Any, Any]] = {}

    def known(self, parent: Any, pseudo_type: Any, cascaded: dict[str, Any]) -> Kept | None:
        """Return what is known of a style, ``None`` if nothing can be."""
        above: Kept | None = self._root if parent is None else getattr(parent, "kept", None)
        if above is None:
            return None
        declared = [(name, self._frozen(value), *weight[:2], *weight[2])
                    for name, (value, weight) in cascaded.items()]  # fmt: skip
        found, is_new = above.below((pseudo_type, *declared))
        self._count += is_new
        if self._count > MOST_KEPT:
            # Documents at work keep what they have; the next begins anew.
            self._root, self._count = Kept(), 0
        return found

    def _frozen(self, value: Any) -> Any:
        """Return a declared value as one that can be looked up by.

        The library's parser makes lists of some. Those of the stylesheet are the same objects in
        every document.
        """
        kept = self._declared.get(id(value))
        if kept is None or kept[0] is not value:
            if len(self._declared) > MOST_KEPT:
                self._declared.clear()
            kept = self._declared[id(value)] = (value, _frozen(value))
        return kept[1]


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


class _KeptStyle(_ComputedStyle):
    """The style of an element."""

    def __init__(
        self, parent_style: Any, cascaded: Any, pseudo_type: Any, root: Any, *rest: Any
    ) -> None:
        super().__init__(parent_style, cascaded, pseudo_type, root, *rest)
        self.kept = None
        if isinstance(self.font_config, Styles):
            self.kept = self.font_config.known(parent_style, pseudo_type, cascaded)
        if self.kept is not None:
            self.update(self.kept.values)
            self.specified.update(self.kept.specified)

    def copy(self) -> Any:
        """Return a style that may be changed, of which nothing is kept."""
        copied = super().copy()
        copied.kept = None
        return copied

    def __missing__(self, key: str) -> Any:
        value = super().__missing__(key)
        if self.kept is not None:
            self.kept.values[key] = value
            if key in _SPECIFIED:
                self.kept.specified.update(self.specified)
        return value


class _KeptAnonymousStyle(_AnonymousStyle):
    """The style of a box that no element makes."""

    def __init__(self, parent_style: Any) -> None:
        super().__init__(parent_style)
        above = getattr(parent_style, "kept", None)
        self.kept = above and above.anonymous
        if self.kept is not None:
            self.update(self.kept.values)

    def copy(self) -> Any:
        """Return a style that may be changed, of which nothing is kept."""
        copied = super().copy()
        copied.kept = None
        return copied

    def __missing__(self, key: str) -> Any:
        value = super().__missing__(key)
        if self.kept is not None:
            self.kept.values[key] = value
        return value


def keep_styles() -> None:
    """Let the library use these instead of its own, for documents with such ``Styles``."""
    css.ComputedStyle, css.AnonymousStyle = _KeptStyle, _KeptAnonymousStyle
