"""Pictures of every page, kept beside a sheet that shows them all: ``.local/screenshots``."""

import re
from html import escape
from pathlib import Path

import pytest
from django.conf import settings

from tests.browser.pages import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FOLDER = Path(settings.BASE_DIR) / ".local" / "screenshots"
SMALLEST = 2_000
"""Bytes: what a picture of nothing takes."""


@pytest.mark.parametrize(
    ("language", "theme", "width"),
    [
        ("en", "light", 1440),
        ("de", "dark", 390),
        *(
            pytest.param(language, theme, width, marks=pytest.mark.long)
            for language in ("en", "de")
            for theme in ("light", "dark")
            for width in (1440, 390)
            if (language, theme, width) not in {("en", "light", 1440), ("de", "dark", 390)}
        ),
    ],
)
def test_keeps_pictures_of_every_page(site, look, language, theme, width):
    folder = FOLDER / f"{language}-{theme}-{width}"
    folder.mkdir(parents=True, exist_ok=True)
    for who in sorted({entry.who for entry in PAGES}):
        with look(who, language=language, theme=theme, width=width) as window:
            page = window.new_page()
            for entry in (one for one in PAGES if one.who == who):
                page.goto(site.url(entry.url))
                if entry.opens:
                    page.locator(entry.opens).first.click()
                page.locator(entry.shows).first.wait_for(timeout=10_000)
                page.screenshot(path=folder / file_name(entry.name), full_page=True)
    _write_sheet(folder)

    pictures = [folder / file_name(entry.name) for entry in PAGES]
    assert all(picture.stat().st_size > SMALLEST for picture in pictures)


def file_name(name: str) -> str:
    return re.sub(r"[^a-z]+", "-", name) + ".png"


def _write_sheet(folder: Path) -> None:
    figures = "\n".join(
        f'<a href="{file_name(one.name)}"><figure><img src="{file_name(one.name)}" width="320" '
        f'loading="lazy" alt=""><figcaption>{escape(one.name)}</figcaption></figure></a>'
        for one in PAGES
    )
    text = f'<!doctype html><meta charset="utf-8"><title>{folder.name}</title>\n{figures}\n'
    (folder / "index.html").write_text(text, encoding="utf-8")
