"""What people look for is found under their own words: the scoring of the site's search box.

The site itself is asked by `make docs-check`, in a browser.
"""

import re
from pathlib import Path

import pytest
from check_site import SEARCHES

DOCS = Path(__file__).parents[2] / "docs"
IN_A_TITLE, IN_THE_TEXT, OF_THE_GUIDE = 15, 5, 2  # docs/search_scorer.js has them
ENDINGS = re.compile(r"(ibility|ically|ical|ing|ies|ed|es|s|e)$")
MADE_BY_THE_SITE = {"benchmark_results.md"}


def stems(text):
    """Return the words of a text without their endings, roughly as a stemmer cuts them."""
    return {ENDINGS.sub("", word) for word in re.findall(r"\w+", text.lower())}


def pages():
    """Return for each page its title and the words of its titles and of its text."""
    found = {}
    for path in sorted(DOCS.rglob("*.md")):
        name = str(path.relative_to(DOCS))
        if name.startswith("_") or name in MADE_BY_THE_SITE:
            continue
        text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        if titles:
            found[name.removesuffix(".md")] = titles[0], stems(" ".join(titles)), stems(text)
    return found


def results(words, pages):
    """Return the names of the pages that have all words: best first, equals by their titles."""
    scores = {}
    for name, (title, in_titles, in_text) in pages.items():
        if stems(words) <= in_titles | in_text:
            score = IN_A_TITLE if stems(words) & in_titles else IN_THE_TEXT
            score += OF_THE_GUIDE if name.startswith("guide/") else 0
            scores[name] = -score, title.lower() != words, title.lower()
    return sorted(scores, key=scores.get)


@pytest.mark.parametrize("words", SEARCHES)
def test_the_right_page_is_among_the_first_three(words):
    assert set(results(words, pages())[:3]) & set(SEARCHES[words])


def test_the_scores_are_those_of_the_site():
    scorer = (DOCS / "search_scorer.js").read_text(encoding="utf-8")
    assert re.search(rf"\btitle: {IN_A_TITLE},", scorer)
    assert re.search(rf"\bterm: {IN_THE_TEXT},", scorer)
    assert f'(page.startsWith("guide/") ? {OF_THE_GUIDE} : 0)' in scorer


def test_the_guide_comes_before_a_page_of_that_name_before_titles_before_text():
    made_up = {
        "text": ("A", stems("A"), stems("how to save")),
        "title": ("B", stems("B, Saving"), stems("")),
        "name": ("Save", stems("Save"), stems("")),
        "guide/z": ("Z", stems("Z, Saving"), stems("")),
        "other": ("C", stems("C"), stems("nothing")),
    }
    assert results("save", made_up) == ["guide/z", "name", "title", "text"]


def test_every_page_of_the_guide_has_a_line_in_its_table_of_contents():
    contents = (DOCS / "user_guide.md").read_text(encoding="utf-8")
    linked = re.findall(r"^- \[.*?\]\((guide/\w+)\.md\)", contents, re.MULTILINE)
    in_tree = re.findall(r"^(guide/\w+)$", contents, re.MULTILINE)
    assert linked == in_tree  # in the same order
    assert set(linked) == {f"guide/{path.stem}" for path in (DOCS / "guide").glob("*.md")}
