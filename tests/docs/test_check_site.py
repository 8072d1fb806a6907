"""docs/check_site.py: which links it finds broken. What needs a browser, `make docs-check` runs."""

import pytest
from check_site import broken_links


def write(folder, name, body):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<html><body>{body}</body></html>")


def test_existing_links_are_not_broken(tmp_path):
    write(tmp_path, "guide/a b.html", '<h2 id="one">One</h2><img src="../picture.png">')
    (tmp_path / "picture.png").touch()
    write(
        tmp_path,
        "index.html",
        '<a href="guide/a%20b.html#one">1</a> <a href="#">top</a> <a name="here" href="#here">2</a>'
        '<a href="guide/a%20b.html#one:~:text=One">3</a> <a href="https://example.org">4</a>'
        '<img src="data:image/png;base64,AA=="> <a href="guide/a%20b.html?q=1">5</a>',
    )
    assert broken_links(tmp_path) == []


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ('<a href="nowhere.html">', "no file nowhere.html"),
        ('<a href="folder">', "no file folder"),
        ('<a href="../outside.html">', "no file ../outside.html"),
        ('<a href="/index.html">', "no file /index.html"),
        ('<a href="#nowhere">', "no anchor #nowhere"),
        ('<a href="other.html#nowhere">', "no anchor other.html#nowhere"),
        ('<img src="nowhere.png">', "no file nowhere.png"),
        ('<script src="https://cdn.example/a.js"></script>', "loads https://cdn.example/a.js"),
        ('<link href="//cdn.example/a.css">', "loads //cdn.example/a.css"),
    ],
)
def test_broken_links_are_listed(tmp_path, body, complaint):
    site = tmp_path / "site"
    (site / "folder").mkdir(parents=True)
    write(tmp_path, "outside.html", "")
    write(site, "other.html", "")
    write(site, "index.html", body)
    assert broken_links(site) == [f"index.html: {complaint}"]


def test_templates_of_the_theme_are_no_pages(tmp_path):
    write(tmp_path, "_static/macros.html", '<a href="{{ nowhere }}">')
    assert broken_links(tmp_path) == []
