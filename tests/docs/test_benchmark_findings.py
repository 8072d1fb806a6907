"""Findings that pages tell in short: their numbers are of the sections that they link to."""

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


def reasons():
    """Return for each paragraph of the guide's reasons the pages and sections, and its text."""
    page = (DOCS / "guide/which_model.md").read_text(encoding="utf-8")
    paragraphs = re.split(r"\n\n|\n- ", page.partition("\n## ")[2].partition("\n## From aim")[0])
    link = re.compile(r"\]\(\.\./([\w/]+\.md)(#[\w-]+)?\)")
    return [(link.findall(text), text) for text in paragraphs if link.search(text)]


def section(page, anchor):
    """Return the text of a section of a page, and of the page where no anchor is given."""
    text = (DOCS / page).read_text(encoding="utf-8")
    sections = {
        "#" + re.sub(r"[^\w\- ]", "", part.partition("\n")[0].lower()).replace(" ", "-"): part
        for part in re.split(r"^## ", text, flags=re.MULTILINE)
    }
    return sections[anchor] if anchor else text


def says(text):
    """Return whether a number of the details rounds to the text of a number."""
    decimals = len(text.partition(".")[2])
    return lambda number: round(float(number), decimals) == float(text)


def test_the_guide_has_reasons_with_numbers():
    assert sum("." in text for _, told in reasons() for text in NUMBER.findall(told)) > 20


@pytest.mark.parametrize(("links", "cells"), findings() + reasons())
def test_each_number_is_of_the_sections_behind(links, cells):
    numbers = NUMBER.findall("\n".join(section(*link) for link in links))
    fractions = [text for text in NUMBER.findall(cells) if "." in text]
    assert [text for text in fractions if not any(map(says(text), numbers))] == []
