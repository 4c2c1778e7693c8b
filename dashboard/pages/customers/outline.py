"""A list of accounts as people write or paste it: one a line, indented below what it belongs to."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from accounts.declarations.particulars import KINDS
from accounts.models import Account
from accounts.operations.accounts import NewAccount
from web.accounts import kind_name
from web.templatetags.figures import quantity

MOST_LINES: Final = 1_000
_TAB: Final = 4
_BULLET: Final = re.compile(r"\A[-*•–·]\s+")
_PARTED: Final = re.compile(r"\s*[|\t]\s*")
_MOST_FAULTS: Final = 100
# Blanks that do not break come along when a list is copied from a page.
_BLANKS: Final = str.maketrans({"\u00a0": " ", "\u202f": " ", "\ufeff": None})


@dataclass(frozen=True, slots=True)
class Entry:
    """One account of a list: the line it is on, how many levels deep, its name and kind."""

    line: int
    depth: int
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and in which line."""

    line: int
    detail: str


@dataclass(slots=True)
class Outline:
    """A list that was read: its accounts, and what is wrong with its lines."""

    entries: list[Entry] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def refuse(self, line: int, detail: str) -> None:
        """Note what is wrong with a line; of very many the first are enough."""
        if len(self.faults) < _MOST_FAULTS:
            said = {"line": line, "detail": detail}
            self.faults.append(Fault(line, _("Line %(line)s: %(detail)s") % said))

    def accounts(self, above: int) -> Iterator[NewAccount]:
        """Yield the accounts as they are created, below what stands ``above`` levels over them."""
        for one in self.entries:
            fields = {"name": one.name, "kind": one.kind}
            yield NewAccount(fields, one.depth + above, one.line)


def read_outline(text: str) -> Outline:
    """Read a list: empty lines say nothing, a tab or any blanks more are one level deeper.

    The first indent says how wide a level is; a line that is indented by more stands below
    nothing and is refused, as is one whose indent none of the lines above has.
    """
    found = Outline()
    indents = _Indents(found)
    lines = text.translate(_BLANKS).replace("\r\n", "\n").split("\n")
    for number, raw in enumerate(lines, start=1):
        if not raw.strip():
            continue
        if len(found.entries) == MOST_LINES:
            most = {"most": quantity(MOST_LINES)}
            found.refuse(
                number, _("At most %(most)s accounts at once. Import a file instead.") % most
            )
            break
        content = raw.lstrip()
        depth = indents.depth_of(number, raw[: len(raw) - len(content)])
        found.entries.append(_entry(found, number, depth, _BULLET.sub("", content)))
    return found


@dataclass(slots=True)
class _Indents:
    """The widths of the levels that are open, and that of a level."""

    found: Outline
    widths: list[int] = field(default_factory=list)
    of_level: int = 0

    def depth_of(self, line: int, blanks: str) -> int:
        """Return how many levels deep a line is, and note where its indent can't be."""
        width = len(blanks.expandtabs(_TAB))
        if not self.widths:
            self.widths = [width]
        elif width > self.widths[-1]:
            step = width - self.widths[-1]
            self.of_level = self.of_level or step
            if step > self.of_level:
                self.found.refuse(line, _("It is indented by more than one level."))
            self.widths.append(width)
        else:
            self._close(line, width)
        return len(self.widths) - 1

    def _close(self, line: int, width: int) -> None:
        while len(self.widths) > 1 and self.widths[-1] > width:
            self.widths.pop()
        if self.widths[-1] != width:
            self.found.refuse(line, _("No line above is indented like this one."))


def _entry(found: Outline, line: int, depth: int, content: str) -> Entry:
    """Return what a line says: a name, and behind a bar or a tab its kind."""
    name, *rest = [part.strip() for part in _PARTED.split(content)]
    said = [part for part in rest if part]
    kind = _kinds().get(said[0].casefold()) if said else Account.Kind.DEPARTMENT.value
    if kind is None or len(said) > 1:
        of = {"text": (said[0] if kind is None else said[1])[:40], "kinds": ", ".join(_words())}
        found.refuse(line, _("“%(text)s” is no type of account. There are: %(kinds)s.") % of)
    return Entry(line, depth, name, kind or Account.Kind.DEPARTMENT.value)


def _words() -> list[str]:
    return [kind_name(kind) for kind in KINDS]


@cache
def _kinds() -> Mapping[str, str]:
    """Return the kinds by what they are called, in every language and in files."""
    found = {kind: kind for kind in KINDS}
    for language, _name in settings.LANGUAGES:
        with override(language):
            found |= {kind_name(kind).casefold(): kind for kind in KINDS}
    return found


def count_text(count: int) -> str:
    """Return how many accounts there are."""
    return ngettext("%(count)s account", "%(count)s accounts", count) % {"count": quantity(count)}
