"""What no curve can be made of is refused in a sentence."""

import re

import numpy as np
import pytest
from curves import BETAS
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline, make_pipeline

from skvae import AutoencoderTransformer
from skvae.model_selection import beta_curve


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"betas": []},
            "betas must be a sequence of finite numbers of at least 0. Got [] instead. Give one "
            "or more.",
        ),
        (
            {"betas": 2.0},
            "betas must be a sequence of finite numbers of at least 0. Got 2.0 instead. Give one "
            "or more.",
        ),
        (
            {"betas": [1, -1]},
            "betas must be a sequence of finite numbers of at least 0. Got [1, -1] instead. Give "
            "one or more.",
        ),
        (
            {"betas": [1, [2, 3]]},
            "betas must be a sequence of finite numbers of at least 0. Got [1, [2, 3]] instead. "
            "Give one or more.",
        ),
        (
            {"betas": ["1"]},
            "betas must be a sequence of finite numbers of at least 0. Got ['1'] instead. Give one "
            "or more.",
        ),
        (
            {"betas": [1.0, float("nan")]},
            "betas must be a sequence of finite numbers of at least 0. Got [1.0, nan] instead. "
            "Give one or more.",
        ),
        (
            {"param_name": "bta"},
            "param_name must be a parameter of BetaVAETransformer. Got 'bta' instead. Use one of "
            "its get_params(), such as 'lr'.",
        ),
        (
            {"param_name": "noise_variance"},
            "Fits that start warm need a parameter of the training of BetaVAETransformer. Got "
            "param_name='noise_variance', from which the network or its input is made, instead. "
            "Set warm_start=False.",
        ),
        (
            {"X_val": np.zeros((2, 6)), "cv": 2},
            "beta_curve measures on X_val or on the test rows of cv. Got X_val and cv=2 instead. "
            "Leave one out.",
        ),
        *(
            (
                {"warm_epochs": epochs},
                "warm_epochs must be a share of max_epochs, a float in (0, 1], or an int of at "
                f"least 1. Got {epochs!r} instead. Give either.",
            )
            for epochs in (0, 1.5, True, "0.5")
        ),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, sentence, vae, table):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        beta_curve(vae, table, **{"betas": BETAS, **arguments})


def test_a_parameter_of_an_earlier_step_is_refused_where_fits_start_warm(vae, table):
    pipe = Pipeline([("pca", PCA(5)), ("vae", vae)])
    sentence = (
        "Fits that start warm need a parameter of the training of BetaVAETransformer. Got "
        "param_name='pca__n_components', from which the network or its input is made, instead. "
        "Set warm_start=False."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        beta_curve(pipe, table, betas=[4, 5], param_name="pca__n_components")
    settings = {"param_name": "pca__n_components", "warm_start": False}
    curve = beta_curve(pipe.set_params(pca__random_state=0), table, betas=[4, 5], **settings)
    assert curve.elbo[0] == clone(pipe).set_params(pca__n_components=4).fit(table).score(table)


@pytest.mark.parametrize("estimator", [AutoencoderTransformer(2), make_pipeline(PCA(2))])
def test_models_without_a_divergence_are_refused(estimator, table):
    name = "AutoencoderTransformer" if isinstance(estimator, AutoencoderTransformer) else "PCA"
    sentence = (
        f"beta_curve needs a variational autoencoder, a Pipeline that ends in one, or a "
        f"TableTransformer of one. Got {name} "
        f"instead. Use one, such as BetaVAETransformer."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        beta_curve(estimator, table, betas=[1.0])
