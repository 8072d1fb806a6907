"""Names of the package in literal text, such as `VAETransformer`, become links to their pages."""

import re
from importlib import import_module

from docutils import nodes
from sphinx.addnodes import pending_xref

__all__ = ["public_names", "setup"]

MODULES = ["datasets", "metrics", "model_selection", "plotting", "tabular"]


def public_names():
    """Return {short or full name: full name} for all public names."""
    names = {}
    for module in ["skvae", *(f"skvae.{name}" for name in MODULES)]:
        for name in import_module(module).__all__:
            if not name.startswith("_"):
                names[name] = names[f"{module}.{name}"] = f"{module}.{name}"
    return names


def _link(app, doctree):
    names, page = public_names(), app.env.docname
    if page.startswith("api/"):
        return
    for literal in list(doctree.findall(nodes.literal)):
        if isinstance(literal.parent, (nodes.reference, pending_xref, nodes.title)):
            continue
        name = names.get(re.sub(r"\(.*", "", literal.astext()))
        if name:
            reference = pending_xref(
                "", refdomain="py", reftype="obj", reftarget=name, refdoc=page, refexplicit=True
            )
            literal.replace_self(reference)
            reference += literal


def setup(app):
    app.connect("doctree-read", _link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
