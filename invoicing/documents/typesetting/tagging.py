"""Tells a screen reader what was drawn: tables, rows, cells with their heads, links."""

from typing import Any

import pydyf

from invoicing.documents.typesetting.painting import FurnishedPage, LinkBox, Mark

ROOM = "/Art"
"""What the library calls an ``article``: the place of a room in the structure."""


def tag_tables(document: Any, pdf: Any) -> None:
    """Put the tables of furnished pages into the structure of a document, where they belong.

    Source: ISO 32000-1, 14.7 and 14.8.
    """
    root = _target(pdf, pdf.catalog["StructTreeRoot"])
    numbers = _target(pdf, root["ParentTree"])["Nums"]
    rooms = iter(_rooms(pdf, root))
    for page_number, page in enumerate(document.pages):
        if not isinstance(page, FurnishedPage):
            continue
        parents = numbers[2 * page_number + 1]
        tagger = _Tagger(pdf, pdf.page_references[page_number], parents, numbers)
        for marks in page.marks:
            room = next(rooms)
            room["S"] = "/Sect"
            room["K"].extend(tagger.element(mark, room).reference for mark in marks)


def _target(pdf: Any, reference: bytes) -> Any:
    """Return the object that a reference like ``7 0 R`` means."""
    return pdf.objects[int(reference.split()[0])]


def _rooms(pdf: Any, element: Any) -> list[Any]:
    """Return the rooms below an element in the order of the pages."""
    if element.get("S") == ROOM:
        return [element]
    kids = [kid for kid in element["K"] if isinstance(kid, bytes)]
    targets = [_target(pdf, kid) for kid in kids]
    return [room for kid in targets if "K" in kid for room in _rooms(pdf, kid)]


class _Tagger:
    """Adds the elements of one page."""

    def __init__(self, pdf: Any, page: bytes, parents: Any, numbers: Any) -> None:
        self._pdf, self._page, self._parents, self._numbers = pdf, page, parents, numbers

    def element(self, mark: Mark, parent: Any) -> Any:
        """Return a mark as an element of the structure, with all below it."""
        element = self._new(mark.role, parent)
        if mark.role in ("TH", "TD"):
            scope = {"Scope": "/Column"} if mark.role == "TH" else {}
            element["A"] = pydyf.Dictionary({"O": "/Table", **scope})
            if mark.columns > 1:
                element["A"]["ColSpan"] = mark.columns
            holder = self._link(mark.link, element) if mark.link else element
            holder["K"].append(mark.number)
            # Marks are numbered in the order in which they are drawn, and that is the order here.
            self._parents.append(holder.reference)
        for kid in mark.kids:
            element["K"].append(self.element(kid, element).reference)
        return element

    def _link(self, box: LinkBox, cell: Any) -> Any:
        link, annotation = self._new("Link", cell), box.link_annotation
        cell["K"].append(link.reference)
        found = {"Type": "/OBJR", "Obj": annotation.reference, "Pg": self._page}
        link["K"].append(pydyf.Dictionary(found))
        annotation["StructParent"] = len(self._numbers) // 2
        self._numbers.extend((annotation["StructParent"], link.reference))
        return link

    def _new(self, role: str, parent: Any) -> Any:
        element = pydyf.Dictionary(
            {
                "Type": "/StructElem",
                "S": f"/{role}",
                "K": pydyf.Array([]),
                "Pg": self._page,
                "P": parent.reference,
            }
        )
        self._pdf.add_object(element)
        return element
