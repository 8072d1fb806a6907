"""The models of the paper's experiment: each is fitted once, and kept on the disk."""

import json
import warnings
from dataclasses import asdict, dataclass
from hashlib import sha1
from time import perf_counter

import joblib
from sklearn.exceptions import ConvergenceWarning

import skvae

__all__ = ["Model", "Setting", "betas_of", "fetch", "is_kept"]

ESTIMATORS = {
    "AE": skvae.AutoencoderTransformer,
    "VAE": skvae.VAETransformer,
    "BetaVAE": skvae.BetaVAETransformer,
    "BetaTCVAE": skvae.BetaTCVAETransformer,
}
BATCH_SIZE = 128


@dataclass(frozen=True)
class Setting:
    """What all fits of a run have in common."""

    data: str
    n_train: int
    n_test: int
    max_epochs: int
    lr: float
    noise_variance: float
    seed: int


@dataclass(frozen=True)
class Model:
    """One fit: of which estimator, with which beta (the AE has none) and latent size."""

    name: str
    beta: float | None
    n_components: int

    @classmethod
    def of(cls, name, beta, n_components):
        """Return the model; at a beta of 1 beta-VAE and beta-TCVAE are the VAE."""
        return cls("VAE", 1.0, n_components) if beta == 1 else cls(name, beta, n_components)

    def estimator(self, setting, image_shape):
        """Return it unfitted, with the paper's network and optimizer."""
        estimator = ESTIMATORS[self.name](
            self.n_components,
            image_shape=image_shape,
            architecture="paper",
            input_scale=1 / 255,
            batch_size=BATCH_SIZE,
            lr=setting.lr,
            max_epochs=setting.max_epochs,
            random_state=setting.seed,
        )
        if self.name != "AE":
            estimator.set_params(noise_variance=setting.noise_variance)
        if self.name.startswith("Beta"):
            estimator.set_params(beta=self.beta)
        return estimator

    def key(self, setting):
        """Return the name of the fit: readable, and another for every other setting."""
        digest = sha1(json.dumps(asdict(setting), sort_keys=True).encode()).hexdigest()[:8]
        beta = "" if self.beta is None else f"-{self.beta:g}"
        return f"{self.name}{beta}-{self.n_components}-{digest}"


def betas_of(name, betas, n_components):
    """Return the models of a sweep over beta, ascending, the VAE as that of beta 1."""
    return [Model.of(name, beta, n_components) for beta in sorted({1.0, *betas})]


def is_kept(model, setting, cache):
    """Return whether the fit is on the disk."""
    return (cache / f"{model.key(setting)}.joblib").exists()


def fetch(model, setting, images, cache):
    """Return the fitted estimator, the seconds it took, and what it warned of."""
    path = cache / f"{model.key(setting)}.joblib"
    if not path.exists():
        estimator = model.estimator(setting, images.image_shape)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            started = perf_counter()
            estimator.fit(images.train)
            seconds = perf_counter() - started
        messages = [
            f"{warning.category.__name__}: {warning.message}"
            for warning in caught
            if issubclass(warning.category, (ConvergenceWarning, UserWarning))
        ]
        part = path.with_suffix(".part")
        joblib.dump((estimator, seconds, messages), part)
        part.rename(path)
    return joblib.load(path)
