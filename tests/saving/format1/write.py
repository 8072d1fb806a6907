"""Write the files of this folder: once, when the format was new. They are not written again.

Later versions have to read them, and to find what ``expected.json`` says.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skvae
from skvae.tabular import TableTransformer

FOLDER = Path(__file__).parent
X = np.array([[0.0, 1.0, 2.0], [1.0, 0.5, 0.2], [2.0, 0.0, 0.5], [0.5, 2.0, 1.0], [3.0, 1.0, 0.0]])
ROWS = np.concatenate([X + shift for shift in np.linspace(0, 1, 6)])
SMALL = {"hidden_layer_sizes": (), "max_epochs": 2, "random_state": 0}
KINDS = [("gaussian", [0]), ("negative-binomial", [1]), ("categorical", 2)]


def estimators():
    """Return fitted estimators by the names of their files."""
    found = {
        "autoencoder": skvae.AutoencoderTransformer(1, optimizer="sgd", warm_start=True, **SMALL),
        "vae": skvae.VAETransformer(2, likelihood="bernoulli", input_scale=0.2, **SMALL),
        "beta_vae": skvae.BetaVAETransformer(2, hidden_layer_sizes=(3,), max_epochs=2),
        "beta_tcvae": skvae.BetaTCVAETransformer(2, noise_variance="per-feature", **SMALL),
        "detector": skvae.AutoencoderOutlierDetector(
            skvae.AutoencoderTransformer(1, **SMALL),
            n_refits=0,
            n_estimators=1,
            calibration_fraction=0.4,
            random_state=0,
        ),
        "pipeline": make_pipeline(StandardScaler(), skvae.VAETransformer(1, **SMALL)),
        "kinds": skvae.VAETransformer(1, likelihood=KINDS, missing="mask", **SMALL),
        "imputer": skvae.VAEImputer(skvae.VAETransformer(1, missing="mask", **SMALL)),
        "table": TableTransformer(skvae.VAETransformer(1, **SMALL)),
    }
    return {name: estimator.fit(rows_for(name, ROWS)) for name, estimator in found.items()}


def rows_for(name, rows):
    """Return rows that an estimator takes."""
    if name == "kinds":  # the second column is a count, the third of two levels
        return np.column_stack((rows[:, 0], np.floor(rows[:, 1]), rows[:, 2] > 1))
    if name == "imputer":
        return np.where(rows == 0, np.nan, rows)
    if name == "table":
        kinds = ["even" if value % 1 == 0 else "odd" for value in rows[:, 2]]
        return pd.DataFrame({"size": rows[:, 0], "is_large": rows[:, 1] > 1, "kind": kinds})
    return rows


def answers(name, estimator):
    """Return what an estimator says of the rows."""
    rows = rows_for(name, X)
    methods = ("transform", "score_samples", "p_value", "predict")
    found = {name: getattr(estimator, name)(rows) for name in methods if hasattr(estimator, name)}
    if getattr(estimator, "warm_start", False):
        found["transform after more training"] = estimator.fit(ROWS).transform(X)
    return {name: values.tolist() for name, values in found.items()}


if __name__ == "__main__":
    expected = {}
    for name, estimator in estimators().items():
        skvae.save(estimator, FOLDER / f"{name}.skvae")
        expected[name] = answers(name, estimator)
        print(name, (FOLDER / f"{name}.skvae").stat().st_size)
    (FOLDER / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
