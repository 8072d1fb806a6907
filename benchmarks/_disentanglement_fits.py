"""The models of the disentanglement benchmark. Each is fitted once and kept on the disk."""

import json
import re
from dataclasses import asdict, dataclass
from hashlib import sha1
from time import process_time

import joblib
import numpy as np
from _common import one_thread, recorded_warnings, write_whole
from sklearn.decomposition import PCA

import skvae

__all__ = ["MODELS", "WITHOUT_BETA", "Fit", "Result", "Setting", "fit_all", "plan"]

ESTIMATORS = {
    "AE": skvae.AutoencoderTransformer,
    "VAE": skvae.VAETransformer,
    "beta-VAE": skvae.BetaVAETransformer,
    "beta-TCVAE (mws)": skvae.BetaTCVAETransformer,
    "beta-TCVAE (mss)": skvae.BetaTCVAETransformer,
    "beta-TCVAE (mws, plain start)": skvae.BetaTCVAETransformer,
}
MODELS = ("PCA", *ESTIMATORS)
WITHOUT_BETA = ("PCA", "AE", "VAE")
ELBO_ROWS = 5_000  # rows for the evidence lower bound, the same for every model
CHUNK = 4_096  # rows that the PCA reconstructs at a time, as floats


@dataclass(frozen=True)
class Setting:
    """The settings that all fits of a run share, whatever their objective.

    The weights of all penalties begin large and fall. So the codes become active one after another.
    If they became active together, they would share the positions among them, in folded and turned
    form.
    """

    n_components: int = 10
    hidden_layer_sizes: tuple = (256, 256)
    activation: str = "silu"
    max_epochs: int = 15
    batch_size: int = 256
    lr: float = 1e-3
    kl_warmup_start: float = 60.0
    kl_warmup_epochs: int = 6


@dataclass(frozen=True)
class Fit:
    """One fit: a model, its beta (None for models without one) and its seed."""

    model: str
    beta: float | None
    seed: int

    def estimator(self, setting, input_scale):
        """Return the estimator, unfitted."""
        if self.model == "PCA":
            return PCA(setting.n_components, svd_solver="covariance_eigh")
        estimator = ESTIMATORS[self.model](
            setting.n_components,
            hidden_layer_sizes=setting.hidden_layer_sizes,
            activation=setting.activation,
            input_scale=input_scale,
            max_epochs=setting.max_epochs,
            batch_size=setting.batch_size,
            lr=setting.lr,
            random_state=self.seed,
        )
        if self.model != "AE":
            estimator.set_params(likelihood="bernoulli")
            if "plain" not in self.model:
                estimator.set_params(
                    kl_warmup_start=setting.kl_warmup_start,
                    kl_warmup_epochs=setting.kl_warmup_epochs,
                )
        if self.model not in WITHOUT_BETA:
            estimator.set_params(beta=self.beta)
        if self.model == "beta-TCVAE (mss)":
            estimator.set_params(tc_sampling="mss")
        return estimator

    def key(self, setting, images):
        """Return a readable name for the files of the fit. Other settings give another name."""
        settings = asdict(setting) | {"data": images.digest, "skvae": skvae.__version__}
        digest = sha1(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]
        words = re.findall(r"[\w-]+", self.model)
        beta = [] if self.beta is None else [f"{self.beta:g}"]
        return "-".join([images.name, *words, *beta, f"seed{self.seed}", digest])


def plan(models, betas, seeds):
    """Return the fits of some models. The PCA has no random numbers, so it has one fit."""
    return [
        Fit(model, beta, seed)
        for seed in seeds
        for model in models
        for beta in ([None] if model in WITHOUT_BETA else betas)
        if model != "PCA" or seed == seeds[0]
    ]


@dataclass(frozen=True)
class Result:
    """What is kept of a fit. ``std`` and ``elbo`` are None for models without a density."""

    codes: np.ndarray  # means, (n_images, n_components), float32
    std: np.ndarray | None  # of the posteriors, shaped like the codes
    error: np.ndarray  # mean squared error of every image in [0, 1], (n_images,), float32
    elbo: np.ndarray | None  # of some images, in nats
    elbo_rows: np.ndarray  # the indices of these images
    history: dict
    seconds: float  # processor time of fit
    messages: list  # the warnings of fit
    settings: dict
    estimator_path: object  # file for joblib.load

    @classmethod
    def of(cls, path):
        """Read the result from an .npz file. The estimator stays on the disk."""
        with np.load(path) as content:
            arrays = dict(content)
        rest = json.loads(str(arrays.pop("rest")))
        history = {
            name.removeprefix("history_"): arrays.pop(name)
            for name in list(arrays)
            if name.startswith("history_")
        }
        arrays = {"std": None, "elbo": None, **arrays}
        return cls(history=history, estimator_path=path.with_suffix(".joblib"), **arrays, **rest)


def fit_all(fits, setting, images, cache, *, n_jobs=1, verbose=10):
    """Return {fit: Result}. Fits that are on the disk are read. The others are made first."""
    cache.mkdir(parents=True, exist_ok=True)
    paths = {fit: cache / f"{fit.key(setting, images)}.npz" for fit in fits}
    missing = [fit for fit, path in paths.items() if not path.exists()]
    # All processes read one array of images, which joblib maps from the disk.
    joblib.Parallel(n_jobs=n_jobs, verbose=verbose)(
        joblib.delayed(_fit)(fit, setting, images.X, images.input_scale, paths[fit])
        for fit in missing
    )
    return {fit: Result.of(path) for fit, path in paths.items()}


def _fit(fit, setting, X, input_scale, path):
    """Fit one model and write its files. The file of the result is written last."""
    one_thread()
    estimator = fit.estimator(setting, input_scale)
    # The PCA converts bytes to float64. float32 saves memory.
    rows = X.astype(np.float32) if fit.model == "PCA" else X
    with recorded_warnings() as caught:
        started = process_time()
        estimator.fit(rows)
        seconds = process_time() - started
    messages = [str(warning.message) for warning in caught]
    arrays = _of_pca(estimator, rows) if fit.model == "PCA" else _of_autoencoder(estimator, X)
    arrays["error"] = (arrays["error"] * input_scale**2).astype(np.float32)
    arrays |= {f"history_{k}": v for k, v in getattr(estimator, "history_", {}).items()}
    settings = asdict(setting) | asdict(fit)
    rest = {"seconds": seconds, "messages": messages, "settings": settings}

    def write(part):
        with part.open("wb") as file:  # numpy would add a suffix to a path
            np.savez(file, rest=json.dumps(rest), **arrays)

    write_whole(path.with_suffix(".joblib"), lambda part: joblib.dump(estimator, part))
    write_whole(path, write)


def _of_autoencoder(estimator, X):
    """Return the codes of all rows, their errors, and the bound of some rows."""
    rows = np.random.default_rng(0).permutation(len(X))[:ELBO_ROWS]
    rows.sort()
    arrays = {"error": estimator.reconstruction_error(X), "elbo_rows": rows}
    if not hasattr(estimator, "posterior"):
        return arrays | {"codes": estimator.transform(X)}
    codes, std = estimator.posterior(X)
    return arrays | {"codes": codes, "std": std, "elbo": estimator.score_samples(X[rows])}


def _of_pca(pca, X):
    """Return the codes of all rows, and the errors of their images."""
    codes = pca.transform(X)
    chunks = (slice(start, start + CHUNK) for start in range(0, len(X), CHUNK))
    errors = [((X[c] - pca.inverse_transform(codes[c])) ** 2).mean(1) for c in chunks]
    return {"codes": codes, "error": np.concatenate(errors), "elbo_rows": np.arange(0)}
