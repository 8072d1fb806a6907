"""The site: `make docs` builds it in docs/_build/html."""

import re
import sys
from pathlib import Path

import matplotlib

import skvae
from skvae.base.documentation import DocumentationLinks

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "skvae"
copyright = "the skvae developers"
version = release = skvae.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
    "architecture",
    "autolink",
    "mathml",
    "benchmark_tables",
]
exclude_patterns = ["_build", "_templates", "examples"]
templates_path = ["_templates"]

html_theme = "pydata_sphinx_theme"
html_title = "skvae"
html_static_path = ["_static"]
html_css_files = ["skvae.css"]
html_search_scorer = str(Path(__file__).parent / "search_scorer.js")
html_favicon = "_static/icon.svg"
html_context = {"default_mode": "auto"}
html_sidebars = {"index": []}  # the start page needs the full width for its code
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navbar_align": "left",
    "show_toc_level": 2,
    "secondary_sidebar_items": {
        "**": ["page-toc"],
        # These pages have no table of contents. Their wide tables need the room.
        **{page: [] for page in ("index", "guide/which_model", "benchmarks")},
    },
    "footer_start": ["copyright"],
    "footer_end": [],
}

if tags.has("versioned"):  # noqa: F821, by Sphinx: `make docs-version`
    html_theme_options |= {
        "switcher": {"json_url": "../versions.json", "version_match": version},
        "check_switcher": False,  # the file is written after the site
        "navbar_start": ["navbar-logo", "version-switcher"],
        "show_version_warning_banner": True,
    }

default_role = "literal"
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
html_math_renderer = "mathml"

autosummary_generate = True
autodoc_typehints = "none"  # docstrings have the types
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False  # the page of a class lists its methods

# Estimators in the gallery link to the pages of this site.
DocumentationLinks._doc_link_template = "../api/{estimator_module}.{estimator_name}.html"

matplotlib.use("Agg")
sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "ignore_pattern": r"(accelerate_fit|dip_vae|drawn_faces|serve_model)\.py$",
    "copyfile_regex": r"drawn_faces\.py$",
    "doc_module": ("skvae",),
    "reference_url": {"skvae": None},
    "backreferences_dir": "gallery/backreferences",
    "within_subsection_order": "gallery_order.ReadingOrder",
    "plot_gallery": True,
    "capture_repr": ("_repr_html_",),
    "abort_on_example_error": True,
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,
    "min_reported_time": 1,
    "matplotlib_animations": False,
}


def _link_nowhere(app, what, name, obj, options, lines):
    """Remove links to scikit-learn's own site from docstrings that are inherited from it."""
    text = "\n".join(lines)
    if not (getattr(obj, "__module__", None) or "").startswith("skvae"):
        text = re.sub(r":(?:ref|term):`([^<`]*?)\s*<[^`]*>`", r"\1", text)
        text = re.sub(r":ref:`[^`]*`", "scikit-learn's documentation", text)
        lines[:] = re.sub(r":term:`([^`]*)`", r"\1", text).split("\n")


def setup(app):
    app.connect("autodoc-process-docstring", _link_nowhere)
