"""What torch computes of an exported estimator is what the estimator answers."""

import numpy as np
import pytest
import torch
from exported import DETECTORS, PARTS, TRANSFORMERS, answers, assert_equal, image_model
from sklearn.base import clone

import skvae
from skvae import AutoencoderOutlierDetector, VAETransformer
from skvae.exporting.parts import PARTS as RESULTS

DTYPES = ("float32", "float64")


@pytest.fixture
def X(table):
    """Rows in (0, 1)."""
    return 0.01 + 0.98 * (table - table.min()) / np.ptp(table)


def computed(module, part):
    """Return a function from an array to arrays by name."""

    def compute(rows):
        found = module(torch.from_numpy(rows))
        found = found if isinstance(found, dict) else dict(zip(RESULTS[part], [found], strict=True))
        return {name: values.numpy() for name, values in found.items()}

    return compute


def assert_exported(estimator, parts, X):
    for dtype in DTYPES:
        rows = X.astype(dtype)
        for part in parts:
            module = skvae.to_torch(estimator, part, dtype=dtype)
            assert not any(each.training for each in module.modules())
            assert not any(each.requires_grad for each in module.parameters())
            assert_equal(computed(module, part), estimator, part, rows)


@pytest.mark.filterwarnings("ignore:The divergence must be below")  # after few epochs
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_every_part_of_a_transformer_is_its_own_answer(name, X):
    estimator = clone(TRANSFORMERS[name]).fit(X)
    scores = hasattr(estimator, "score_samples")
    assert_exported(estimator, PARTS if scores else PARTS[:3], X[:100])


@pytest.mark.parametrize("architecture", ["residual", "hybrid", "paper"])
def test_every_part_of_an_image_model_is_its_own_answer(architecture):
    X = np.random.RandomState(0).rand(100, 80)
    assert_exported(image_model(architecture).fit(X), PARTS, X)


@pytest.mark.parametrize("name", DETECTORS)
def test_a_detector_decides_of_new_rows_as_it_does_itself(name, X):
    fitted, new = X[:300], X[300:]
    new[::10] += 2.0
    detector = clone(DETECTORS[name]).fit(fitted)
    assert len(set(detector.predict(new))) == 2
    assert_exported(detector, ["score_samples", "detector"], new)


def test_a_detector_knows_constants_and_the_ends_of_columns(X):
    fitted, new = X[:300].copy(), X[300:].copy()
    fitted[:, 2] = new[:, 2] = 0.3
    new[::7, 2] = 0.4
    new[::9, 0] = 1e30
    detector = AutoencoderOutlierDetector(random_state=0).fit(fitted)
    assert_exported(detector, ["detector"], new)


def test_rows_that_were_fitted_are_new_to_the_export(X):
    detector = AutoencoderOutlierDetector(
        VAETransformer(2, hidden_layer_sizes=(8,), max_epochs=3), random_state=0
    ).fit(X)
    module = skvae.to_torch(detector, "score_samples", dtype="float64")
    mean = np.mean([model.score_samples(X) for model in detector.estimators_], axis=0)
    np.testing.assert_allclose(module(torch.from_numpy(X)), mean, rtol=1e-9)


@pytest.mark.parametrize("estimator", [TRANSFORMERS["ae"], TRANSFORMERS["standard"]])
def test_the_estimator_is_not_the_module(estimator, X):
    estimator = clone(estimator).fit(X)
    before = estimator.transform(X)
    module = skvae.to_torch(estimator)
    with torch.no_grad():
        for weights in (*module.parameters(), *module.buffers()):
            weights.zero_()
    module.double().train()
    np.testing.assert_array_equal(estimator.transform(X), before)


def test_rows_without_a_density_have_nan(X):
    estimator = clone(TRANSFORMERS["bernoulli"]).fit(X)
    module = skvae.to_torch(estimator, "score_samples", dtype="float64")
    rows = X[:3].copy()
    rows[1, 2] = 1.5
    assert module(torch.from_numpy(rows)).isnan().tolist() == [False, True, False]


@pytest.mark.parametrize("name", ["standard", "default"])
def test_a_row_with_nan_has_nan_and_is_an_outlier(name, X):
    estimator = clone({**TRANSFORMERS, **DETECTORS}[name]).fit(X)
    rows = torch.tensor(X[:2])
    rows[1, 0] = torch.nan
    if name == "standard":
        found = skvae.to_torch(estimator, "score_samples", dtype="float64")(rows)
        assert found.isnan().tolist() == [False, True]
    else:
        found = skvae.to_torch(estimator, "detector", dtype="float64")(rows)
        assert found["predict"][1] == -1
        n_rows = len(estimator.calibration_scores_)
        assert found["p_value"][1] == pytest.approx(1 / (1 + n_rows))


@pytest.mark.parametrize(
    ("name", "part"), [("standard", "score_samples"), ("held-out", "detector")]
)
def test_torch_export_takes_the_module(name, part, X):
    estimator = clone({**TRANSFORMERS, **DETECTORS}[name]).fit(X[:300])
    module = skvae.to_torch(estimator, part)
    rows = {"X": {0: torch.export.Dim("n_samples", min=1)}}
    example = torch.zeros(2, X.shape[1])
    program = torch.export.export(module, (example,), dynamic_shapes=rows)
    new = X[300:].astype(np.float32)
    assert_equal(computed(program.module(), part), estimator, part, new)


def test_a_program_of_convolutions_is_kept_without_a_warning(tmp_path):
    X = np.random.RandomState(0).rand(100, 80).astype(np.float32)
    estimator = image_model("residual").fit(X)
    program = torch.export.export(skvae.to_torch(estimator), (torch.from_numpy(X),))
    torch.export.save(program, tmp_path / "model.pt2")
    found = torch.export.load(tmp_path / "model.pt2").module()(torch.from_numpy(X))
    np.testing.assert_allclose(found.numpy(), estimator.transform(X), atol=1e-5)


def test_a_fit_leaves_what_was_exported(X):
    estimator = clone(TRANSFORMERS["vae"]).fit(X)
    expected = answers(estimator, "code", X)
    module = skvae.to_torch(estimator, dtype="float64")
    estimator.fit(2 * X[::-1])
    np.testing.assert_allclose(module(torch.from_numpy(X)), expected["code"], atol=1e-12)
