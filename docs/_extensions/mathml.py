"""Formulas as MathML. Browsers draw it without scripts, and without files from the network."""

import re

from docutils import nodes
from latex2mathml.converter import convert

__all__ = ["setup"]

OPERATORS = {"&#x0007E;": "&#x0223C;", ";": ";"}  # spaced like an operator


def mathml(latex, display="inline"):
    """Return a formula in LaTeX as a MathML element."""
    latex = latex.replace(r"\_", "_").replace(r"\big", "")  # browsers draw it too big
    if r"\\" in latex and r"\begin" not in latex:
        latex = rf"\begin{{aligned}}{latex}\end{{aligned}}"
    element = convert(latex.replace("{aligned}", "{align*}"), display=display)
    element = element.replace("<mo>&#x02016;", '<mo stretchy="false">&#x02016;')
    for text, operator in OPERATORS.items():
        element = element.replace(f"<mi>{text}</mi>", f"<mo>{operator}</mo>")
    # LaTeX puts a thin space after the name of a function, unless a bracket follows.
    return re.sub(r"(<mi>log</mi>)(?!<mo)", r'\1<mspace width="0.167em"/>', element)


def keep_punctuation(app, doctree):
    """Prevent line breaks between a formula and text that follows it without a space."""
    for node in list(doctree.findall(nodes.math)):
        text = node.next_node(descend=False, siblings=True)
        mark = re.match(r"[^\w\s]+", text) if isinstance(text, nodes.Text) else None
        if mark:
            text.parent.replace(text, nodes.Text(text[mark.end() :]))
            whole = nodes.inline(classes=["nowrap"])
            node.replace_self(whole)
            whole += [node, nodes.Text(mark[0])]


def _visit(self, node):
    self.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def _visit_block(self, node):
    self.body.append(self.starttag(node, "div", CLASS="formula"))
    self.body.append(mathml(node.astext(), display="block") + "</div>\n")
    raise nodes.SkipNode


def setup(app):
    app.connect("doctree-read", keep_punctuation)
    app.add_html_math_renderer("mathml", (_visit, None), (_visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
