"""A run of the paper's experiment: its models are fitted and measured for every seed."""

from dataclasses import asdict, replace
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from _common import one_thread
from _paper_fits import Model, Setting, betas_of, fetch, fingerprint, is_kept
from _paper_measures import VERSION, measure
from _paper_progress import LEAST_INTERVAL, Notes, Task, every, line
from _paper_rows import keep_rows, read_rows, rounded
from _paper_tables import label
from joblib import Parallel, delayed

__all__ = ["AS_THEY_ARE", "Run", "measure_all"]

LATENTS = (8, 32, 128)
AS_THEY_ARE = "all"  # the images of a fit, unchanged


class Planned(NamedTuple):
    """A fit of a run: its model, its setting, and its set of images."""

    model: Model
    setting: Setting
    images: str

    @property
    def key(self):
        """The name of the fit."""
        return self.model.key(self.setting)


class Run:
    """The models of a run, the tables they belong to, and the seeds.

    Parameters
    ----------
    setting : Setting
        The setting of the first seed.
    seeds : list of int
        Each model is fitted for each seed.
    latent : int
        Latent size of all tables, except the table of latent sizes.
    betas, tc_betas : list of float
        Betas of beta-VAE and beta-TCVAE. The first are those of the main table.
    whole : bool
        Whether there are more models than the four, with further betas and latent sizes.
    learned : bool
        Whether there is also a VAE with a learned noise variance.
    """

    def __init__(self, setting, seeds, latent, betas, tc_betas, *, whole=True, learned=True):
        self.settings = [replace(setting, seed=seed) for seed in seeds]
        if not whole:
            betas, tc_betas = betas[:1], tc_betas[:1]
        self.beta_sweep = betas_of("BetaVAE", betas, latent)
        self.tc_sweep = betas_of("BetaTCVAE", tc_betas, latent)
        self.four = [
            Model("AE", None, latent),
            Model.of("VAE", 1.0, latent),
            Model.of("BetaVAE", betas[0], latent),
            Model.of("BetaTCVAE", tc_betas[0], latent),
        ]
        self.four = list(dict.fromkeys(self.four))  # with a beta of 1 they are three
        self.learned = [Model("VAE", 1.0, latent, learned=True)] if learned else []
        self.latents = [
            Model.of("BetaVAE", beta, n_components)
            for beta in sorted({1.0, betas[0]})
            for n_components in sorted({*LATENTS, latent} if whole else {latent})
        ]
        models = [*self.four, *self.learned, *self.beta_sweep, *self.tc_sweep, *self.latents]
        self.models = list(dict.fromkeys(models))

    @property
    def table(self):
        """The models in all tables and figures."""
        return [*self.four, *self.learned]

    def fits(self, resampled):
        """Return all fits: first those to the unchanged images, then the four to resampled images.

        Parameters
        ----------
        resampled : dict of {str: Images}
        """
        fits = [
            Planned(model, setting, AS_THEY_ARE)
            for setting in self.settings
            for model in self.models
        ]
        for name, images in resampled.items():
            marks = {"data": images.name, "fingerprint": fingerprint(images.train)}
            fits += [
                Planned(model, replace(setting, **marks), name)
                for setting in self.settings
                for model in self.four
            ]
        return fits


def _assess(fit, images, reference, cache):
    """Fit one model, or read it from the disk, and measure it. Write notes of both."""
    one_thread()
    model, setting, of_images = fit
    notes = Notes(cache)

    def tell(epochs, seconds):
        notes.write(fit.key, epochs=epochs, seconds=seconds)

    estimator, seconds, messages = fetch(model, setting, images, cache, tell)
    started = perf_counter()
    as_fitted = model.as_fitted(setting, estimator)
    measures = measure(model, estimator, images, reference, as_fitted)
    measuring = perf_counter() - started
    notes.write(fit.key, epochs=setting.max_epochs, seconds=seconds, measuring=measuring)
    row = {
        "key": fit.key,
        "measures": VERSION,
        **asdict(model),
        **asdict(as_fitted),
        "images": of_images,
        "seconds": seconds,
        "measuring_seconds": measuring,
        "warnings": messages,
        **measures,
    }
    return rounded(row)


def measure_all(run, images, resampled, reference, path, cache, n_jobs, **settings):
    """Return the measures of every model, {set of images: {model: a row for every seed}}.

    Each row is written to the file when it is measured. The rows of other runs stay in the file,
    even of runs at the same time. Rows with measures of another version are measured again.
    """
    rows, n_others = read_rows(path)
    if n_others:
        print(
            f"{n_others} rows of {Path(path).name}.json have measures of another version than "
            f"{VERSION}. They are left out. This run measures its own again, and keeps the fits."
        )
    own = {}
    fits, sets = run.fits(resampled), {AS_THEY_ARE: images, **resampled}
    done = {fit.key for fit in fits if fit.key in rows and is_kept(fit.model, fit.setting, cache)}
    pool = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    measured = pool(
        delayed(_assess)(fit, sets[fit.images], reference, cache)
        for fit in fits
        if fit.key not in done
    )
    with every(LEAST_INTERVAL, _reporter(fits, done, Notes(cache), n_jobs)):
        for row in measured:
            own[row["key"]] = row
            done.add(row["key"])
            keep_rows(own, path, cache, settings)
            print(f"{len(done)} of {len(fits)}: {row['key']}, {row['seconds']:.0f} s", flush=True)
    keep_rows(own, path, cache, settings)
    rows |= own
    results = {}
    for fit in fits:
        results.setdefault(fit.images, {}).setdefault(fit.model, []).append(rows[fit.key])
    return results


def _reporter(fits, done, notes, n_jobs):
    """Return a function that returns a line about the progress of the fits."""
    tasks = [
        Task(
            fit.key,
            f"{label(fit.model)}, latent {fit.model.n_components}, {fit.setting.data}, "
            f"seed {fit.setting.seed}",
            (fit.model.name, fit.model.n_components),
            fit.setting.max_epochs,
        )
        for fit in fits
    ]
    return lambda: line(tasks, notes.read(tasks), done, n_jobs)
