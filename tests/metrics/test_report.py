import re

import numpy as np
import pandas as pd
import pytest
from known_factors import noise, sampled_factors

from skvae import metrics
from skvae.metrics import disentanglement_report
from skvae.metrics.dci import DCI_PARTS
from skvae.metrics.infomec import INFOMEC_PARTS

SIZES = (3, 4, 5)
FACTORS = sampled_factors(400, SIZES)
CODES = np.hstack([FACTORS, 0.3 * noise(400, 1)]) + 0.3 * noise(400, 4, seed=2)
STDS = np.full(CODES.shape, 0.3)


@pytest.fixture(scope="module")
def report():
    return disentanglement_report(FACTORS, CODES, nominal=[0], stds=STDS, random_state=0)


def test_every_score_is_the_one_that_its_function_gives(report):
    drawn = {"random_state": 0}
    gap = metrics.mutual_information_gap
    expected = {
        "beta_vae": metrics.beta_vae_score(FACTORS, CODES, **drawn),
        "factor_vae": metrics.factor_vae_score(FACTORS, CODES, stds=STDS, **drawn),
        "mig": gap(FACTORS, CODES),
        "mig_posterior": gap(FACTORS, CODES, estimator="posterior", stds=STDS),
        "sap": metrics.sap_score(FACTORS, CODES, nominal=[0], **drawn),
        "modularity": metrics.modularity_score(FACTORS, CODES, stds=STDS),
        "explicitness": metrics.explicitness_score(FACTORS, CODES, **drawn),
    }
    for part in DCI_PARTS:
        expected[f"dci_{part}"] = metrics.dci_score(FACTORS, CODES, part=part, nominal=[0], **drawn)
    whole = metrics.infomec_score(FACTORS, CODES, stds=STDS, details=True, **drawn)
    for part in INFOMEC_PARTS:
        expected[f"infomec_{part}"] = whole[part]
    assert report.scores == expected
    assert all(type(score) is float and 0 <= score <= 1 for score in report.scores.values())


@pytest.mark.parametrize(
    "name", ["mig", "mig_posterior", "sap", "explicitness", "dci_completeness"]
)
def test_the_shares_of_the_factors_have_the_score_as_their_mean(report, name):
    assert report.per_factor[name].shape == (3,)
    assert report.per_factor[name].mean() == pytest.approx(report.scores[name])


def test_without_stds_there_is_no_posterior_information():
    report = disentanglement_report(FACTORS, CODES, random_state=0)
    assert "mig_posterior" not in report.scores
    assert report.n_samples == 400


def test_it_prints_a_row_for_each_score_and_a_column_for_each_factor(report):
    header, *rows = str(report).splitlines()
    assert header.split() == ["score", "v0", "v1", "v2"]
    assert [row.split()[0] for row in rows] == list(report.scores)
    table = dict(zip(report.scores, rows, strict=True))
    values = [report.scores["mig"], *report.per_factor["mig"]]
    assert table["mig"].split()[1:] == [f"{value:.3f}" for value in values]
    assert table["modularity"].split()[1:] == [f"{report.scores['modularity']:.3f}"]
    frame = report.to_frame()
    assert list(frame.index) == list(report.scores)
    assert list(frame.columns) == ["score", "v0", "v1", "v2"]
    np.testing.assert_array_equal(frame["score"], list(report.scores.values()))
    for name in report.scores:
        shares = report.per_factor.get(name, [np.nan] * 3)
        np.testing.assert_array_equal(frame.loc[name][1:], shares)
    assert len({len(row) for row in rows if len(row.split()) == 5} | {len(header)}) == 1


def test_names_come_from_a_data_frame_or_are_given():
    named = pd.DataFrame(FACTORS, columns=["shape", "scale", "x"])
    assert disentanglement_report(named, CODES).factor_names == ("shape", "scale", "x")
    given = disentanglement_report(FACTORS, CODES, factor_names=["a", "b", "c"])
    assert given.factor_names == ("a", "b", "c")
    sentence = (
        "disentanglement_report needs a name for each of the 3 factors. Got 2 instead. Give as "
        "many, or none."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        disentanglement_report(FACTORS, CODES, factor_names=["a", "b"])


def test_the_report_names_itself_in_errors():
    with pytest.raises(ValueError, match=r"^disentanglement_report needs at least 2 factors"):
        disentanglement_report(FACTORS[:, :1], CODES)
