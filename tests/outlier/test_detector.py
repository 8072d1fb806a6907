"""The detector is an estimator of scikit-learn: repeated by a seed, searched, pickled."""

import inspect
import pickle
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from detectors import SMALL, detector
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from skvae import AutoencoderOutlierDetector, AutoencoderTransformer, VAETransformer


@dataclass(frozen=True)
class OwnScore:
    """A callable whose repr has no address in it: parallel workers compare the names of tests."""

    def __call__(self, transformer, X):
        return transformer.score_samples(X)


@parametrize_with_checks(
    [
        AutoencoderOutlierDetector(random_state=0),
        detector(VAETransformer(1, **SMALL), anomaly_score="latent"),
        detector(AutoencoderTransformer(2, **SMALL), anomaly_score="reconstruction"),
        detector(VAETransformer(1, missing="mask", **SMALL)),
        detector(PCA(1)),
        detector(PCA(1), anomaly_score="reconstruction", n_estimators=3),
        detector(make_pipeline(StandardScaler(), PCA(1)), anomaly_score=OwnScore()),
    ]
)
def test_scikit_learn_check_passes(estimator, check):
    check(estimator)


# Some of these fit a DataFrame and transform an array on purpose.
@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names:UserWarning")
@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_dataframe_column_names_consistency,
        estimator_checks.check_inplace_ensure_writeable,
        estimator_checks.check_param_validation,
    ],
    ids=lambda check: check.__name__,
)
def test_further_scikit_learn_check_passes(check):
    check("AutoencoderOutlierDetector", detector(VAETransformer(2, **SMALL)))


def test_no_tag_avoids_a_check():
    tags = AutoencoderOutlierDetector().__sklearn_tags__()
    assert tags.estimator_type == "outlier_detector"
    assert not tags.non_deterministic
    assert not tags.no_validation
    assert not tags._skip_test


def test_every_parameter_has_a_constraint_and_is_documented_in_order():
    signature = inspect.signature(AutoencoderOutlierDetector).parameters
    positional = [name for name, p in signature.items() if p.kind is not p.KEYWORD_ONLY]
    assert positional == ["transformer"]
    assert set(signature) == set(AutoencoderOutlierDetector._parameter_constraints)
    doc = inspect.getdoc(AutoencoderOutlierDetector)
    section = doc[doc.index("Parameters\n") : doc.index("Attributes\n")]
    documented = [line.split(" : ")[0] for line in section.splitlines() if " : " in line[:40]]
    assert documented == list(signature)


@pytest.mark.parametrize("kind", ["likelihood", "reconstruction", "latent"])
def test_a_pickle_answers_the_same(kind, table):
    fitted = detector(VAETransformer(2, **SMALL), anomaly_score=kind, calibration_fraction=0.2).fit(
        table
    )
    copied = pickle.loads(pickle.dumps(fitted))
    for method in ("score_samples", "decision_function", "predict", "p_value"):
        assert_array_equal(getattr(copied, method)(table), getattr(fitted, method)(table))
    found, expected = (one.explain(table[:9]).to_frame() for one in (copied, fitted))
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize("normal", [1, 0])
def test_a_search_selects_by_the_area_under_the_curve(normal, table):
    rng = np.random.RandomState(0)
    X = np.r_[table, 5 + 2.5 * rng.standard_normal((40, 6))]
    is_normal = np.arange(440) < 400
    y = np.where(is_normal, 1, -1) if normal == 1 else is_normal.astype(int)
    search = GridSearchCV(
        detector(anomaly_score="reconstruction"),
        {"transformer__n_components": [1, 3, 5]},
        scoring="roc_auc",
        cv=StratifiedKFold(3, shuffle=True, random_state=0),
    ).fit(X, y)
    assert search.best_params_ == {"transformer__n_components": 3}
    assert search.best_score_ > 0.9


def test_the_same_seed_gives_the_same_detector(table):
    unseeded = VAETransformer(2, hidden_layer_sizes=(8,), max_epochs=2)
    one, two, other = (
        detector(unseeded, calibration_fraction=0.3, random_state=seed).fit(table)
        for seed in (0, 0, 1)
    )
    assert_array_equal(one.score_samples(table), two.score_samples(table))
    assert one.offset_ == two.offset_
    assert (one.score_samples(table) != other.score_samples(table)).all()
    assert unseeded.random_state is None
    seeded = detector(VAETransformer(2, **SMALL), random_state=5).fit(table)
    assert {model.random_state for model in seeded.estimators_} == {0}


def test_seeds_draw_other_rows_and_other_models(table):
    unseeded = make_pipeline(StandardScaler(), VAETransformer(2, max_epochs=1))
    fits = [detector(unseeded, random_state=seed).fit(table) for seed in (0, 0, 1)]
    one, again, other = (fit.score_samples(table) for fit in fits)
    assert_array_equal(one, again)
    assert (one != other).all()
    held_out = [
        detector(calibration_fraction=0.3, random_state=seed).fit(table).calibration_scores_
        for seed in (0, 1)
    ]
    assert (held_out[0] != held_out[1]).any()


def test_the_default_is_what_anyone_could_write(table):
    default = AutoencoderOutlierDetector(random_state=0).fit(table)
    written = AutoencoderOutlierDetector(clone(default.estimators_[0]), random_state=0)
    written.set_params(transformer__vaetransformer__random_state=None).fit(table)
    assert_array_equal(written.score_samples(table), default.score_samples(table))


def test_sparse_rows_take_the_default(table):
    X = csr_array(np.where(table > 5, table, 0.0))
    fitted = AutoencoderOutlierDetector(random_state=0).fit(X)
    assert_allclose(fitted.score_samples(X), fitted.oob_scores_)
    assert (fitted.predict(X) == -1).sum() == 40


@pytest.mark.parametrize("n_jobs", [2, -1])
def test_the_number_of_processes_changes_nothing(n_jobs, table):
    alone, together = (
        detector(VAETransformer(2, **SMALL), n_jobs=n).fit(table) for n in (None, n_jobs)
    )
    assert_array_equal(alone.score_samples(table), together.score_samples(table))
