"""The maps of a number: monotone, undone, the same in any unit, and which one is chosen."""

import numpy as np
import pytest
from scipy import stats
from sklearn.preprocessing import StandardScaler

from skvae.tabular import TableEncoder
from skvae.tabular.monotone import MAPS, chosen_map, kurtosis

RNG = np.random.RandomState(0)
NORMAL = RNG.standard_normal(2000)
COLUMNS = {
    "normal": NORMAL,
    "log-normal": np.exp(NORMAL),
    "Cauchy": RNG.standard_cauchy(2000),
    "many zeros": np.where(RNG.uniform(size=2000) < 0.9, 0.0, np.exp(7 + NORMAL)),
    "two values": RNG.randint(0, 2, 2000).astype(float),
}


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("column", COLUMNS)
def test_a_map_increases_and_is_undone_everywhere(name, column):
    fitted = MAPS[name].fitted(COLUMNS[column])
    low, high = np.quantile(COLUMNS[column], (0, 1))
    t = np.linspace(low - (high - low), high + (high - low), 501)
    z = fitted.forward(t)
    assert (np.diff(z) > 0).all()
    np.testing.assert_allclose(fitted.backward(z), t, rtol=1e-12, atol=1e-12 * np.abs(t).max())


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("column", COLUMNS)
def test_codes_have_mean_0_and_variance_1(name, column):
    z = MAPS[name].fitted(COLUMNS[column]).forward(COLUMNS[column])
    # Of more than a thousand different values the ranks lie on lines.
    atol = 1e-3 if name == "normal-scores" else 1e-9
    np.testing.assert_allclose([z.mean(), z.var()], [0, 1], atol=atol)


@pytest.mark.parametrize("numeric", ["auto", *MAPS])
@pytest.mark.parametrize("column", COLUMNS)
def test_codes_do_not_depend_on_the_unit(numeric, column):
    x = COLUMNS[column][:, None]
    codes = [TableEncoder(numeric=numeric).fit_transform(a * x + b) for a, b in ((1, 0), (1e-3, 7))]
    np.testing.assert_allclose(codes[1], codes[0], rtol=1e-9, atol=1e-9)


def test_standard_is_the_standard_scaler():
    X = np.exp(NORMAL)[:, None]
    codes = TableEncoder(numeric="standard").fit_transform(X)
    np.testing.assert_allclose(codes, StandardScaler().fit_transform(X), rtol=0, atol=1e-12)


def test_normal_scores_are_normal_quantiles_of_ranks():
    x = NORMAL[:500]
    ranks = stats.norm.ppf((stats.rankdata(x) - 0.5) / len(x))
    z = MAPS["normal-scores"].fitted(x).forward(x)
    np.testing.assert_allclose(z, stats.zscore(ranks), rtol=0, atol=1e-12)


def test_kurtosis_is_that_of_scipy():
    for x in COLUMNS.values():
        assert kurtosis(x) == pytest.approx(stats.kurtosis(x, fisher=False))


def test_the_map_is_the_plainest_that_leaves_light_tails():
    kinds = {name: type(chosen_map(x, "auto")).__name__ for name, x in COLUMNS.items()}
    assert kinds == {
        "normal": "Standard",
        "log-normal": "Asinh",
        "Cauchy": "NormalScores",
        "many zeros": "NormalScores",
        "two values": "Standard",
    }


def test_maps_are_reported_by_column():
    encoder = TableEncoder().fit(np.column_stack([NORMAL, np.exp(NORMAL)]))
    assert encoder.maps_ == {"x0": "standard", "x1": "asinh"}
