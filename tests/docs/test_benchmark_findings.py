"""The findings that the page of benchmarks opens with: their numbers are of the pages behind."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
NUMBER = re.compile(r"(?<![\w.])[-+]?\d*\.?\d+(?![\w.]*\w)")


def findings():
    """Return for each row of the table the pages and sections it links to, and its cells."""
    page = (DOCS / "benchmarks.md").read_text(encoding="utf-8")
    lines = re.search(r"^\| question .*\n\|[-|]+\n((?:\|.*\n)+)", page, re.MULTILINE).group(1)
    return [
        (
            re.findall(r"\]\(([\w/]+\.md)(#[\w-]+)?\)", line),
            re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", line),
        )
        for line in lines.splitlines()
    ]


def shown(text):
    """Return whether a page has a number that rounds to the text, for the text of a number."""
    decimals = len(text.partition(".")[2])
    return lambda number: round(abs(float(number)), decimals) == abs(float(text))


@pytest.mark.parametrize(("pages", "cells"), findings())
def test_each_number_is_of_the_details(pages, cells):
    details = "\n".join((DOCS / page).read_text(encoding="utf-8") for page, _ in pages)
    numbers = NUMBER.findall(details)
    said = [text for text in NUMBER.findall(cells) if "." in text]
    assert [text for text in said if not any(map(shown(text), numbers))] == []


def test_each_section_that_a_finding_links_to_is_there():
    for pages, _ in findings():
        for page, anchor in pages:
            text = (DOCS / page).read_text(encoding="utf-8")
            headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
            anchors = {
                "#" + re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
                for heading in headings
            }
            assert not anchor or anchor in anchors, (page, anchor)
