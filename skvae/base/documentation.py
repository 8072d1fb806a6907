"""The HTML repr of an estimator: the link to its documentation page, and its inner estimators."""

import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from sklearn.pipeline import _VisualBlock  # its own module differs between releases

__all__ = ["DocumentationLinks", "block_around", "page_template"]

BUILT = Path(__file__).parents[2] / "docs/_build/html"


def page_template(built=BUILT):
    """Return the URL template of an estimator's documentation page, or "" without a site.

    The site is the project URL "Documentation" in the metadata of the package. If there is none,
    it is the site that ``make docs`` built beside the package.

    Parameters
    ----------
    built : Path
        The folder that ``make docs`` builds.

    Returns
    -------
    str
        Has the fields ``estimator_module`` and ``estimator_name``, as scikit-learn's template.
    """
    try:
        addresses = metadata("skvae").get_all("Project-URL", [])
    except PackageNotFoundError:
        addresses = []
    sites = dict(address.split(", ", 1) for address in addresses)
    site = sites.get("Documentation", "")
    if not site and (built / "api").is_dir():
        site = built.resolve().as_uri().replace("{", "{{").replace("}", "}}")
    return f"{site.rstrip('/')}/api/{{estimator_module}}.{{estimator_name}}.html" if site else ""


def block_around(name, estimator):
    """Return the HTML block that shows ``estimator`` as the parameter ``name`` of another one."""
    label = f"{name}: {type(estimator).__name__}"
    return _VisualBlock("parallel", [estimator], names=[label], name_details=[str(estimator)])


class DocumentationLinks:
    """The attributes from which scikit-learn's HTML repr makes the link to an estimator's page.

    An estimator that is defined outside the package has no page, and gets no link.
    """

    _doc_link_module = "skvae"
    _doc_link_template = property(lambda self: page_template())

    def _doc_link_url_param_generator(self):
        """Return the fields of the template; the module is the outermost that exports the class."""
        cls = type(self)
        parts = cls.__module__.split(".")
        modules = [".".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
        module = next(
            (name for name in modules if getattr(sys.modules[name], cls.__name__, None) is cls),
            cls.__module__,
        )
        return {"estimator_module": module, "estimator_name": cls.__name__}
