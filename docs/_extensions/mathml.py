"""Formulas as MathML, which browsers draw by themselves: no script, nothing from the network."""

import re

from latex2mathml.converter import convert

__all__ = ["setup"]


def mathml(latex, display="inline"):
    """Return a formula in LaTeX as a MathML element."""
    if display == "block" and r"\\" in latex:
        latex = r"\begin{aligned}" + latex + r"\end{aligned}"
    element = convert(latex.replace(r"\_", "_"), display=display)
    # LaTeX sets a thin space after the name of a function, unless a bracket follows.
    return re.sub(r"(<mi>log</mi>)(?!<mo)", r'\1<mspace width="0.167em"/>', element)


def _visit(self, node):
    self.body.append(mathml(node.astext()))


def _visit_block(self, node):
    self.body.append(self.starttag(node, "div", CLASS="math"))
    self.body.append(mathml(node.astext(), display="block") + "</div>\n")


def _depart(self, node):
    """Do nothing: the text of a formula is its node's."""


def setup(app):
    app.add_html_math_renderer("mathml", (_skip(_visit), _depart), (_skip(_visit_block), _depart))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _skip(visit):
    """Return a visitor that leaves out the node's children."""
    from docutils.nodes import SkipNode

    def visit_and_skip(self, node):
        visit(self, node)
        raise SkipNode

    return visit_and_skip
