"""The models of the paper's experiment. Each is fitted once, in parts that are saved to the disk.

A warm start continues as if the fit had never stopped. So the parts give exactly the same result as
one fit, wherever it was interrupted.
"""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from hashlib import sha1
from time import perf_counter
from typing import NamedTuple

import joblib
import numpy as np
from _common import recorded_warnings, write_whole

import skvae

__all__ = [
    "BATCH_SIZE",
    "Model",
    "Setting",
    "betas_of",
    "fetch",
    "fingerprint",
    "is_kept",
]

ESTIMATORS = {
    "AE": skvae.AutoencoderTransformer,
    "VAE": skvae.VAETransformer,
    "BetaVAE": skvae.BetaVAETransformer,
    "BetaTCVAE": skvae.BetaTCVAETransformer,
}
BATCH_SIZE = 128
PIECE_SECONDS = 60.0  # of fitting between two saved states; an epoch, if that is longer
BYTES = 255  # the value of white in the file; the networks see [0, 1]
MARKED_ROWS = 64  # images that are compared to tell two sets of images apart


@dataclass(frozen=True)
class Setting:
    """The settings that all fits of a run and a seed share, except the size of a batch."""

    data: str
    fingerprint: str
    n_train: int
    n_test: int
    architecture: str
    device: str
    precision: str
    max_epochs: int
    lr: float
    noise_variance: float
    seed: int


@dataclass(frozen=True)
class Model:
    """One fit: its estimator, its beta (None for the AE), its latent size, and its variance."""

    name: str
    beta: float | None
    n_components: int
    learned: bool = False  # if True, the noise variance is learned, not the setting's

    @classmethod
    def of(cls, name, beta, n_components):
        """Return the model. With beta 1, beta-VAE and beta-TCVAE are the VAE."""
        return cls("VAE", 1.0, n_components) if beta == 1 else cls(name, beta, n_components)

    def estimator(self, setting, image_shape):
        """Return the estimator, unfitted, with the network and the optimizer of the setting."""
        estimator = ESTIMATORS[self.name](
            self.n_components,
            image_shape=image_shape,
            architecture=setting.architecture,
            input_scale=1 / BYTES,
            batch_size=BATCH_SIZE,
            lr=setting.lr,
            max_epochs=setting.max_epochs,
            device=setting.device,
            precision=setting.precision,
            random_state=setting.seed,
            warm_start=True,
        )
        if self.name != "AE":
            variance = "learned" if self.learned else setting.noise_variance
            estimator.set_params(noise_variance=variance)
        if self.name.startswith("Beta"):
            estimator.set_params(beta=self.beta)
        return estimator

    def key(self, setting):
        """Return a readable name of the fit. Other settings give another name."""
        content = asdict(setting) | {"batch_size": BATCH_SIZE}
        digest = sha1(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]
        beta = "" if self.beta is None else f"-{self.beta:g}"
        learned = "-learned" if self.learned else ""
        fit = f"{self.name}{beta}{learned}-{self.n_components}"
        return f"{fit}-{setting.architecture}-seed{setting.seed}-{digest}"

    def as_fitted(self, setting, estimator):
        """Return the setting with the noise variance of the fit, on the scale [0, 1]."""
        if not self.learned:
            return setting
        return replace(setting, noise_variance=estimator.noise_variance_ / BYTES**2)


class Fit(NamedTuple):
    """A fit, complete or not."""

    estimator: object
    seconds: float
    messages: list  # warnings of the last part only: earlier parts did not end the fit


def betas_of(name, betas, n_components):
    """Return the models of a sweep over ascending beta. The VAE has beta 1."""
    return [Model.of(name, beta, n_components) for beta in sorted({1.0, *betas})]


def fingerprint(X):
    """Return a hash that distinguishes images of the same name and number."""
    rows = np.linspace(0, len(X) - 1, MARKED_ROWS).astype(int)
    return sha1(np.ascontiguousarray(X[rows]).tobytes()).hexdigest()[:8]


def is_kept(model, setting, cache):
    """Return whether the complete fit is on the disk."""
    return _path(model, setting, cache).exists()


def fetch(model, setting, images, cache, tell=None):
    """Return the complete fit from the disk. If it is missing, continue it, or start it.

    If two processes make the same fit, the later one uses the result of the first.

    Parameters
    ----------
    model, setting : Model, Setting
        The fit.
    images : Images
        The fit uses their training images.
    cache : Path
        Folder of the fits.
    tell : callable, default=None
        Called with the epochs and the seconds so far, whenever a state has been saved.

    Returns
    -------
    Fit
    """
    path = _path(model, setting, cache)
    if path.exists():
        return joblib.load(path)
    begun = path.with_suffix(".begun")
    fit = Fit(model.estimator(setting, images.image_shape), 0.0, [])
    with suppress(FileNotFoundError):
        fit = joblib.load(begun)
    while (done := getattr(fit.estimator, "n_iter_", 0)) < setting.max_epochs:
        n_epochs = epochs_of_a_piece(done, setting.max_epochs - done, fit.seconds)
        fit = _fit_on(fit, images.train, n_epochs)
        write_whole(begun, lambda part, fit=fit: joblib.dump(fit, part))
        if tell is not None:
            tell(fit.estimator.n_iter_, fit.seconds)
        if path.exists():
            begun.unlink(missing_ok=True)
            return joblib.load(path)
    # This is needed only for further epochs, and is two thirds of the file.
    del fit.estimator._generator_state_
    write_whole(path, lambda part: joblib.dump(fit, part))
    begun.unlink(missing_ok=True)
    return fit


def epochs_of_a_piece(done, left, seconds):
    """Return the number of epochs to train before the next state is saved."""
    if done == 0:
        return 1  # to measure the time of an epoch
    return min(left, max(1, int(PIECE_SECONDS * done / max(seconds, 1e-9))))


def _fit_on(fit, X, n_epochs):
    """Return a fit after further epochs."""
    estimator = fit.estimator.set_params(max_epochs=n_epochs)
    with recorded_warnings() as caught:
        started = perf_counter()
        estimator.fit(X)
        seconds = perf_counter() - started
    messages = [f"{warning.category.__name__}: {warning.message}" for warning in caught]
    return Fit(estimator, fit.seconds + seconds, messages)


def _path(model, setting, cache):
    return cache / f"{model.key(setting)}.joblib"
