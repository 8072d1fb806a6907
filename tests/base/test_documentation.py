"""The HTML repr: parameters and fitted attributes, each with what its docstring says and a link."""

import html
import re
from time import perf_counter
from urllib.parse import quote

import numpy as np
import pytest
from numpydoc.docscrape import ClassDoc
from releases import needs_scikit_learn
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import (
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
    BetaTCVAETransformer,
    BetaVAETransformer,
    VAETransformer,
)
from skvae.base import documentation as pages

X = load_iris().data
SMALL = {"hidden_layer_sizes": (4,), "max_epochs": 1, "random_state": 0}
TRANSFORMERS = [
    AutoencoderTransformer(2, **SMALL),
    VAETransformer(2, **SMALL),
    BetaVAETransformer(2, **SMALL),
    BetaTCVAETransformer(2, **SMALL),
]
ESTIMATORS = [
    *TRANSFORMERS,
    AutoencoderOutlierDetector(
        VAETransformer(2, **SMALL), calibration_fraction=0.2, random_state=0
    ),
    AutoencoderOutlierDetector(VAETransformer(2, **SMALL), anomaly_score="latent", random_state=0),
]
SITE = "https://site.example"
needs_tables = needs_scikit_learn("1.9", "tables of parameters and fitted attributes")


class Elsewhere(VAETransformer):
    """Defined outside the package."""


@pytest.fixture(autouse=True)
def site(monkeypatch):
    template = SITE + "/api/{estimator_module}.{estimator_name}.html"
    monkeypatch.setattr(pages.DocumentationLinks, "_doc_link_template", template)


def fitted_names(estimator):
    return [name for name in vars(estimator) if name.endswith("_") and not name.startswith("_")]


def page_of(estimator):
    return f"{SITE}/api/skvae.{type(estimator).__name__}.html"


def assert_shown(shown, estimator, section, names):
    """Assert that names are in a table, with the first line of their text and a link to it."""
    entries = {entry.name: entry for entry in ClassDoc(type(estimator))[section]}
    assert names
    for name in names:
        text = f"{name},-{quote(entries[name].type.replace('`', ''))}"
        assert f'href="{page_of(estimator)}#:~:text={text}"' in shown, name
        assert html.escape(entries[name].desc[0]) in shown, name


@needs_tables
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_parameters_have_their_text_and_a_link_to_it(estimator):
    shown = estimator._repr_html_()
    assert f'href="{page_of(estimator)}"' in shown
    assert_shown(shown, estimator, "Parameters", estimator.get_params(deep=False))
    assert "Fitted attributes" not in shown


@needs_tables
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_fitted_attributes_have_their_text_and_a_link_to_it(estimator):
    fitted = clone(estimator).fit(X)
    shown = fitted._repr_html_()
    assert "Fitted attributes" in shown
    assert_shown(shown, fitted, "Attributes", fitted_names(fitted))
    assert_shown(shown, fitted, "Parameters", fitted.get_params(deep=False))


@pytest.mark.parametrize("fitted", [False, True])
def test_links_of_a_pipeline_go_to_the_site_of_each_step(fitted):
    vae = VAETransformer(2, **SMALL)
    pipeline = make_pipeline(StandardScaler(), vae)
    if fitted:
        pipeline.fit(X)
    links = re.findall(r'href="([^"#]*)[^"]*"', pipeline._repr_html_())
    assert page_of(vae) in links
    assert [link for link in links if link.endswith("sklearn.preprocessing.StandardScaler.html")]


@needs_tables
def test_a_pipeline_shows_the_attributes_of_each_step():
    vae = VAETransformer(2, **SMALL)
    pipeline = make_pipeline(StandardScaler(), vae).fit(X)
    assert_shown(pipeline._repr_html_(), vae, "Attributes", fitted_names(vae))


@needs_tables
@pytest.mark.parametrize("fitted", [False, True])
def test_the_detector_shows_its_transformer(fitted):
    detector = AutoencoderOutlierDetector(VAETransformer(2, **SMALL), random_state=0)
    if fitted:
        detector.fit(X)
        names = fitted_names(detector.estimators_[0])
        assert_shown(detector._repr_html_(), detector.estimators_[0], "Attributes", names)
    assert_shown(detector._repr_html_(), detector.transformer, "Parameters", ["lr"])


@needs_tables
def test_the_detector_shows_what_it_uses_by_itself():
    shown = AutoencoderOutlierDetector()._repr_html_()
    assert_shown(shown, VAETransformer(), "Parameters", ["lr", "noise_variance"])


def test_estimators_from_elsewhere_have_no_page():
    assert Elsewhere(2)._get_doc_link() == ""
    assert "href" not in Elsewhere(2)._repr_html_()


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_no_link_goes_to_the_site_of_scikit_learn(estimator, monkeypatch, tmp_path):
    monkeypatch.setattr(
        pages.DocumentationLinks, "_doc_link_template", pages.page_template(tmp_path)
    )
    assert "//scikit-learn.org" not in estimator._repr_html_()


def test_the_site_is_the_one_of_the_metadata_or_else_the_one_built(monkeypatch, tmp_path):
    page = "/api/{estimator_module}.{estimator_name}.html"
    metadata = {"Project-URL": ["Source, https://a.example", f"Documentation, {SITE}/"]}

    class Metadata:
        def get_all(self, name, default):
            return metadata.get(name, default)

    monkeypatch.setattr(pages, "metadata", lambda name: Metadata())
    assert pages.page_template(tmp_path) == SITE + page
    metadata.clear()
    assert pages.page_template(tmp_path) == ""
    built = tmp_path / "{site} 1"
    (built / "api").mkdir(parents=True)
    template = pages.page_template(built)
    assert template.format(estimator_module="skvae", estimator_name="A") == (
        (built / "api/skvae.A.html").as_uri()
    )
    monkeypatch.setattr(pages, "metadata", raise_not_found)
    assert pages.page_template(tmp_path) == ""


def raise_not_found(name):
    raise pages.PackageNotFoundError(name)


@pytest.mark.parametrize("fitted", [False, True])
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_attributes_raise_nothing_but_attribute_errors(estimator, fitted):
    estimator = clone(estimator)
    if fitted:
        estimator.fit(X)
    for name in dir(estimator):
        getattr(estimator, name, None)  # anything but an AttributeError passes through


def with_large_arrays():
    wide = np.random.default_rng(0).random((20, 20_000), dtype=np.float32)
    detector = AutoencoderOutlierDetector(
        VAETransformer(2, noise_variance="per-feature", **SMALL), random_state=0
    ).fit(wide)
    detector.calibration_scores_ = np.zeros(10_000_000)
    detector.estimators_[0].history_ = {"train_loss": np.zeros(10_000_000)}
    return detector


def test_large_fitted_arrays_are_neither_printed_nor_slow():
    detector = with_large_arrays()
    start = perf_counter()
    shown = detector._repr_html_()
    assert perf_counter() - start < 1.0  # a hundredth of it is usual
    assert len(shown) < 100_000


@needs_tables
def test_large_fitted_arrays_show_their_shape():
    assert "ndarray[float64](10000000,)" in with_large_arrays()._repr_html_()
