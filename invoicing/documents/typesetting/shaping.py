"""Text keeps its shape: what the library makes anew for every line of text is made once.

The library sets Pango up for each piece of text, several times over while it tries where boxes go.
Here the settings of a style are kept with the fonts of a thread, and so is how a text was broken
into its first line. What is kept is bounded, and does not outlive the fonts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from weasyprint.layout import inline, preferred
from weasyprint.text import line_break
from weasyprint.text.constants import PANGO_DIRECTION
from weasyprint.text.ffi import ffi, gobject, pango
from weasyprint.text.fonts import font_features, get_font_description

from invoicing.documents.typesetting.styling import Styles, keep_styles

MOST_KEPT: Final = 5_000
"""First lines kept, each about a kilobyte; when there are more, all are let go."""

_FEATURES: Final = (
    "font_kerning",
    "font_variant_ligatures",
    "font_variant_position",
    "font_variant_caps",
    "font_variant_numeric",
    "font_variant_alternates",
    "font_variant_east_asian",
    "font_feature_settings",
)
_SHAPES: Final = (
    *_FEATURES,
    "direction",
    "lang",
    "font_family",
    "font_style",
    "font_stretch",
    "font_weight",
    "font_size",
    "font_variation_settings",
)
_BREAKS: Final = (
    "white_space",
    "overflow_wrap",
    "word_break",
    "hyphens",
    "hyphenate_limit_chars",
    "hyphenate_limit_zone",
    "hyphenate_character",
    "word_spacing",
    "letter_spacing",
    "tab_size",
    "line_height",
)

_set_up: Final = line_break.Layout.setup
_split: Final = line_break.split_first_line
_strut: Final = line_break.strut


class Fonts(Styles):
    """The fonts of a thread, and what was made with them."""

    def __init__(self) -> None:
        """Begin with nothing made."""
        super().__init__()
        self.settings: dict[tuple[Any, ...], _Settings] = {}
        self.first_lines: dict[tuple[Any, ...], Any] = {}
        self.struts: dict[tuple[Any, ...], tuple[float, float]] = {}


@dataclass(frozen=True, slots=True)
class _Settings:
    """What layouts of text in one style have in common."""

    context: Any
    description: Any
    language: Any
    features: bytes

    @classmethod
    def of(cls, style: Any) -> "_Settings":
        """Make the settings of a style."""
        context = ffi.gc(
            pango.pango_font_map_create_context(style.font_config.font_map), gobject.g_object_unref
        )
        language = pango.pango_language_from_string(ffi.new("char[]", style["lang"].encode()))
        pango.pango_context_set_round_glyph_positions(context, False)
        pango.pango_context_set_base_dir(context, PANGO_DIRECTION[style["direction"]])
        pango.pango_context_set_language(context, language)
        features = font_features(*(style[name] for name in _FEATURES))
        written = ",".join(f"{key} {value}" for key, value in features.items()).encode()
        return cls(context, get_font_description(style), language, written)


class _KeptLayout(line_break.Layout):
    """A layout of text that shares the settings of its style, and frees what is its own."""

    def setup(self, style: Any) -> None:
        """Begin with the settings of a style; one that is not ordinary is the library's."""
        if not _is_ordinary(style):
            _set_up(self, style)
            return
        kept = _settings(style)
        self.style, self.language = style, kept.language
        self.first_line_direction = 0
        self.ascent = self.underline_position = self.strikethrough_position = None
        self.layout = ffi.gc(pango.pango_layout_new(kept.context), gobject.g_object_unref)
        pango.pango_layout_set_auto_dir(self.layout, False)
        pango.pango_layout_set_font_description(self.layout, kept.description)
        if kept.features:
            # The list frees its attributes, so each has its own, and the layout holds the list.
            features = ffi.gc(pango.pango_attr_list_new(), pango.pango_attr_list_unref)
            attribute = pango.pango_attr_font_features_new(kept.features)
            pango.pango_attr_list_insert(features, attribute)
            pango.pango_layout_set_attributes(self.layout, features)


def split_first_line(
    text: str,
    style: Any,
    context: Any,
    max_width: float | None,
    justification_spacing: float,
    is_line_start: bool = True,
    minimum: bool = False,
) -> Any:
    """Fit as much of a text as there is room for into a line, as the library does.

    Returns:
        the layout, what it takes in bytes, where the rest begins, width, height and baseline.
    """
    rest = (text, style, context, max_width, justification_spacing, is_line_start, minimum)
    if not _is_ordinary(style):
        return _split(*rest)
    width = max_width if style["white_space"] in ("normal", "pre-wrap", "pre-line") else None
    key = (text, _looks(style), width, justification_spacing, is_line_start, minimum)
    return _kept(style.font_config.first_lines, key, lambda: _split(*rest))


def strut(style: Any) -> Any:
    """Return the height of a line and where its text stands, as the library does."""
    if not _is_ordinary(style):
        return _strut(style)
    return _kept(style.font_config.struts, _looks(style), lambda: _strut(style))


def keep_shapes() -> None:
    """Let the library use these instead of its own, for documents with such ``Fonts``."""
    line_break.Layout = _KeptLayout
    for module in (line_break, inline, preferred):
        module.split_first_line = split_first_line
    inline.strut = line_break.strut = strut
    keep_styles()


def _is_ordinary(style: Any) -> bool:
    return (
        isinstance(style.font_config, Fonts)
        and style["text_decoration_line"] == "none"
        and style["font_language_override"] == "normal"
        and bool(style["lang"])
    )


def _looks(style: Any) -> tuple[Any, ...]:
    """Return all of a style that decides how its text is shaped and broken."""
    holder = getattr(style, "kept", None) or style
    found: tuple[Any, ...] | None = getattr(holder, "looks", None)
    if found is None:
        found = holder.looks = tuple(style[name] for name in (*_SHAPES, *_BREAKS))
    return found


def _settings(style: Any) -> _Settings:
    key = _looks(style)[: len(_SHAPES)]
    kept: _Settings = _kept(style.font_config.settings, key, lambda: _Settings.of(style))
    return kept


def _kept(shelf: dict[tuple[Any, ...], Any], key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
    """Return what is kept as ``key``, made if it is not; a full shelf is emptied first."""
    found = shelf.get(key)
    if found is None:
        if len(shelf) >= MOST_KEPT:
            shelf.clear()
        found = shelf[key] = make()
    return found
