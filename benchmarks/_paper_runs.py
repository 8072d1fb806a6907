"""A run of the paper's experiment: its models, for every seed, fitted and measured."""

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
AS_THEY_ARE = "all"  # of the images of a fit


class Planned(NamedTuple):
    """A fit of a run: of which model, under which setting, to which of its sets of images."""

    model: Model
    setting: Setting
    images: str

    @property
    def key(self):
        """The name of the fit."""
        return self.model.key(self.setting)


class Run:
    """The models of a run, which of them are in which table, and the seeds.

    Parameters
    ----------
    setting : Setting
        Of the first seed.
    seeds : list of int
        Each model is fitted for each.
    latent : int
        Latent size of the tables, but for that of latent sizes.
    betas, tc_betas : list of float
        Of beta-VAE and beta-TCVAE; the first are those of the table.
    whole : bool
        Whether there are more than the four models: further betas and latent sizes.
    learned : bool
        Whether a VAE with a learned noise variance stands beside the four.
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
        self.four = list(dict.fromkeys(self.four))  # a beta of 1 makes it three
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
        """The models that all tables and figures have."""
        return [*self.four, *self.learned]

    def fits(self, resampled):
        """Return all fits: those to the images as they are, then the four to resampled ones.

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
    """Fit one model, or take it from the disk, and measure it; leave notes of both."""
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

    The file has them one by one, and keeps other runs', which may go on at the same time; rows that
    were measured in another way are measured again.
    """
    rows, n_others = read_rows(path)
    if n_others:
        print(
            f"{n_others} rows of {Path(path).name}.json are of other measures than version "
            f"{VERSION}: they are left out, and those of this run measured again; fits are kept."
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
    """Return what says how far the fits are."""
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
