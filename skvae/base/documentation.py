"""The HTML repr of an estimator: where its page of documentation is, what it shows inside it."""

import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from sklearn.pipeline import _VisualBlock  # defined at another place in each release

__all__ = ["DocumentationLinks", "block_around", "page_template"]

BUILT = Path(__file__).parents[2] / "docs/_build/html"


def page_template(built=BUILT):
    """Return the template of an estimator's address, or "" where there is no site to name.

    That is the site that the package's metadata call "Documentation", or else the one that
    ``make docs`` built beside the package.

    Parameters
    ----------
    built : Path
        The folder that ``make docs`` builds.

    Returns
    -------
    str
        With the fields ``estimator_module`` and ``estimator_name``, as scikit-learn's own.
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
    """Return the block of an estimator that has another as its parameter ``name``."""
    label = f"{name}: {type(estimator).__name__}"
    return _VisualBlock("parallel", [estimator], names=[label], name_details=[str(estimator)])


class DocumentationLinks:
    """What scikit-learn's HTML repr asks an estimator for, to link to its page.

    Estimators defined outside the package have no page in its site, and no link.
    """

    _doc_link_module = "skvae"
    _doc_link_template = property(lambda self: page_template())

    def _doc_link_url_param_generator(self):
        """Return the module that the page names: the outermost one that exports the class."""
        cls = type(self)
        parts = cls.__module__.split(".")
        modules = [".".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
        module = next(
            (name for name in modules if getattr(sys.modules[name], cls.__name__, None) is cls),
            cls.__module__,
        )
        return {"estimator_module": module, "estimator_name": cls.__name__}
