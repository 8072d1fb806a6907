"""Tables side by side: what is drawn of each column, and in which order."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import same_color
from pictures import flowers, texts
from scipy.stats import ks_2samp
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skvae import AutoencoderTransformer, VAETransformer
from skvae.plotting import SampleDisplay
from skvae.tabular import TableEncoder, TableTransformer

N = 60
RNG = np.random.RandomState(0)
TABLE = pd.DataFrame(
    {
        "size": RNG.standard_normal(N),
        "city": pd.Categorical(["Rom", "Oslo", "Bern"] * (N // 3)),
        "rooms": RNG.randint(1, 5, N),
        "let": RNG.uniform(size=N) < 0.3,
        "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(N), "D"),
        "took": pd.to_timedelta(np.arange(N), "h"),
    }
)
OTHER = TABLE.assign(city=pd.Categorical(["Rom", "Rom", "Kyiv"] * (N // 3)), size=TABLE["size"] + 9)
SMALL = {"max_epochs": 1, "random_state": 0}


def panel_of(display, name):
    return display.axes_[display.form.names.index(name)]


def titles(display):
    return [axes.get_title(loc="left") for axes in display.axes_]


def test_columns_that_differ_most_come_first_with_their_distance():
    display = SampleDisplay.from_predictions({"data": TABLE, "model": OTHER})
    assert titles(display)[:2] == ["size  1.00", "city  0.67"]
    assert titles(display)[2:] == [
        f"{name}  0.00" for name in TABLE if name not in ("size", "city")
    ]
    reverse = SampleDisplay.from_predictions({"data": OTHER, "model": TABLE})
    assert reverse.form.differences == display.form.differences


@pytest.mark.parametrize("as_frame", [pd.DataFrame, pl.DataFrame])
def test_numbers_are_compared_by_their_distribution_functions(as_frame):
    one, two = RNG.standard_normal((2, 50, 3)) * [1.0, 2.0, 3.0]
    names = ["a", "b", "c"]
    tables = {"data": as_frame(dict(zip(names, one.T, strict=True))), "model": two}
    display = SampleDisplay.from_predictions(tables)
    expected = {name: ks_2samp(one[:, j], two[:, j]).statistic for j, name in enumerate(names)}
    assert dict(zip(display.form.names, display.form.differences, strict=True)) == pytest.approx(
        expected
    )
    assert display.form.differences == sorted(display.form.differences, reverse=True)


def test_histograms_share_their_bins_and_sum_to_one():
    display = SampleDisplay.from_predictions({"data": TABLE, "model": OTHER})
    panel = panel_of(display, "size")
    (values, edges, _), (of_model, same, _) = [patch.get_data() for patch in panel.patches]
    np.testing.assert_array_equal(edges, same)
    np.testing.assert_allclose([values.sum(), of_model.sum()], 1)
    assert of_model[-1] > 0.9  # what is beyond is in the outermost
    low, high = np.quantile(TABLE["size"], [0.005, 0.995])
    assert (edges[0], edges[-1]) == (low, high)
    data, model = panel.patches
    assert data.get_fill()
    assert same_color(data.get_facecolor()[:3], "0.6")
    assert not model.get_fill()
    assert same_color(model.get_edgecolor(), "C1")


def test_bars_are_the_shares_of_levels_the_commonest_first():
    display = SampleDisplay.from_predictions({"data": OTHER, "model": TABLE})
    panel = panel_of(display, "city")
    assert texts(panel.get_yticklabels()) == ["Rom", "Kyiv", "Bern", "Oslo"]
    data, model = ([bar.get_width() for bar in bars] for bars in panel.containers)
    np.testing.assert_allclose(data, [2 / 3, 1 / 3, 0, 0])
    np.testing.assert_allclose(model, [1 / 3, 0, 1 / 3, 1 / 3])
    rooms = panel_of(display, "rooms")
    assert texts(rooms.get_yticklabels()) == ["1", "2", "3", "4"]
    np.testing.assert_allclose(
        [bar.get_width() for bar in rooms.containers[0]],
        TABLE["rooms"].value_counts(normalize=True).sort_index(),
    )
    assert texts(panel_of(display, "let").get_yticklabels()) == ["0", "1"]


def test_many_levels_share_a_bar_and_long_ones_are_cut():
    levels = [f"level {place} of very many" for place in range(30)]
    display = SampleDisplay.from_predictions(pd.DataFrame({"id": levels * 2}))
    (panel,) = display.axes_
    assert texts(panel.get_yticklabels()) == [
        *[f"{level[:13]}…" for level in sorted(levels)[:8]],
        "22 others",
    ]
    (bars,) = panel.containers
    assert sum(bar.get_width() for bar in bars) == pytest.approx(1)


def test_dates_are_named_and_durations_counted():
    display = SampleDisplay.from_predictions(TABLE)
    assert texts(panel_of(display, "since").get_xticklabels()) == ["2020-01-01", "2020-02-29"]
    assert panel_of(display, "took").get_xlabel() == "days"
    _, edges, _ = panel_of(display, "took").patches[0].get_data()
    np.testing.assert_allclose(edges[[0, -1]], np.quantile(np.arange(N) / 24, [0.005, 0.995]))


def test_missing_values_do_not_count_and_empty_columns_are_drawn():
    holes = TABLE.assign(size=TABLE["size"].where(TABLE["size"] > 0), none=np.nan, constant=0.5)
    filled = holes.dropna(subset="size").assign(none=1.5)
    display = SampleDisplay.from_predictions({"data": holes, "model": filled})
    differences = dict(zip(display.form.names, display.form.differences, strict=True))
    assert (differences["size"], differences["none"], differences["constant"]) == (0, 1, 0)


def test_as_many_columns_are_shown_as_asked():
    display = SampleDisplay.from_predictions({"data": TABLE, "model": OTHER})
    display.plot(n_features=2)
    assert titles(display) == ["size  1.00", "city  0.67"]
    wide = pd.DataFrame(RNG.standard_normal((9, 40))).rename(columns=str)
    assert len(SampleDisplay.from_predictions(wide).axes_) == 12


def test_tables_in_given_axes_are_named_there():
    _, ax = plt.subplots()
    display = SampleDisplay.from_predictions({"data": TABLE, "model": OTHER}, ax=ax)
    assert texts(display.axes_[0].get_legend().get_texts()) == ["data", "model"]
    assert SampleDisplay.from_predictions(TABLE).figure_.legends == []


def test_samples_of_tables_are_drawn_with_the_noise_of_the_model():
    vae = VAETransformer(2, missing="mask", **SMALL)
    model = TableTransformer(vae).fit(TABLE)
    display = SampleDisplay.from_estimator(model, TABLE, n_samples=40, random_state=0)
    seed = np.random.RandomState(0).randint(2**31 - 1)
    expected = model.sample(40, random_state=seed)
    assert display.samples["VAETransformer"].equals(expected)
    assert display.samples["data"].equals(TABLE)
    legend = texts(display.figure_.legends[0].get_texts())
    assert legend == ["data", "VAETransformer"]
    in_polars = pl.DataFrame({name: TABLE[name].tolist() for name in TABLE if name != "took"})
    indicated = make_pipeline(TableEncoder(), VAETransformer(2, **SMALL)).fit(in_polars)
    alone = SampleDisplay.from_estimator(indicated, random_state=0)
    assert titles(alone) == in_polars.columns
    assert len(alone.samples["VAETransformer"]) == 1_000


def test_models_of_numbers_with_names_are_shown_beside_each_other():
    table, _ = flowers()
    models = {
        "AE": AutoencoderTransformer(2, **SMALL).fit(table),
        "scaled": make_pipeline(StandardScaler(), VAETransformer(2, **SMALL)).fit(table),
    }
    display = SampleDisplay.from_estimator(models, table, random_state=0)
    assert sorted(display.form.names) == sorted(table.columns)
    assert [len(panel.patches) for panel in display.axes_] == [3] * 4
    array = SampleDisplay.from_estimator(models["AE"], table.to_numpy(), feature_names=list("abcd"))
    assert sorted(array.form.names) == list("abcd")


def test_columns_behind_a_step_without_inverse_are_those_that_reach_the_model():
    coded = make_column_transformer(
        (StandardScaler(), ["size"]), (OneHotEncoder(sparse_output=False), ["city"])
    ).set_output(transform="pandas")
    pipeline = make_pipeline(coded, VAETransformer(2, **SMALL)).fit(TABLE)
    display = SampleDisplay.from_estimator(pipeline, TABLE, random_state=0)
    assert sorted(display.form.names) == sorted(coded.get_feature_names_out())


def test_holes_of_arrays_with_names_do_not_count():
    table, _ = flowers()
    holes = table.mask(RNG.uniform(size=table.shape) < 0.2)
    vae = VAETransformer(2, missing="mask", **SMALL).fit(holes)
    display = SampleDisplay.from_estimator(vae, holes.to_numpy(), random_state=0)
    counts = [len(column["data"]) for column in display.form.columns]
    assert sorted(counts) == sorted(holes.notna().sum())


def test_names_of_other_columns_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match=r"^feature_names must name 2 features\. Got 1 names inst"):
        SampleDisplay.from_predictions(np.zeros((3, 2)), feature_names=["a"])
