"""The time of fits, compared with hand-written loops, other models, and other sizes of data."""

from functools import partial
from typing import NamedTuple

from _plain_networks import N_COMPONENTS, NegativeELBO, PlainVAE, fit_plain, mixed_factors
from _speed_contests import Contest, Row, taking_turns, timed
from _speed_peers import fit_pyod, fit_pythae, fit_sklearn, fit_skorch

from skvae import BetaTCVAETransformer, VAETransformer

__all__ = ["FITS", "Fit"]

QUICK_ROWS = 512


class Fit(NamedTuple):
    """The sizes of the rows, a VAE for them, and a number of epochs that takes seconds."""

    n_samples: int
    n_features: int
    hidden: tuple[int, ...]
    batch_size: int
    epochs: int

    @property
    def shape(self):
        """The sizes, for the names of the ratios."""
        return f"{self.n_samples}x{self.n_features}"

    def made(self, quick):
        """Return this fit; with ``quick``, one epoch of a few rows."""
        few = min(self.n_samples, QUICK_ROWS)
        return self._replace(n_samples=few, epochs=1) if quick else self

    def rows(self):
        """Return the rows, float32."""
        return mixed_factors(self.n_samples, self.n_features)

    def settings(self):
        """Return the settings for the functions that fit models of others."""
        return {"hidden": self.hidden, "batch_size": self.batch_size, "epochs": self.epochs}

    def ours(self, X, estimator=VAETransformer, **parameters):
        """Fit our estimator, with defaults for all other settings."""
        estimator(
            N_COMPONENTS,
            hidden_layer_sizes=self.hidden,
            batch_size=self.batch_size,
            max_epochs=self.epochs,
            random_state=0,
            **parameters,
        ).fit(X)

    def loop(self, X, fused=False):
        """Train the same network by a hand-written loop."""
        model = PlainVAE(self.n_features, self.hidden)
        fit_plain(
            model, NegativeELBO(), X, epochs=self.epochs, batch_size=self.batch_size, fused=fused
        )


def against_loops(fit, target, fused_target, mlp=True):
    """Return the contest of a fit and hand-written loops. ``mlp`` adds scikit-learn's model."""

    def prepare(quick):
        made = fit.made(quick)
        X = made.rows()
        return taking_turns(
            {
                "ours": timed(lambda: made.ours(X)),
                "loop, plain Adam": timed(lambda: made.loop(X)),
                "loop, fused Adam": timed(lambda: made.loop(X, fused=True)),
                "MLPRegressor": timed(lambda: fit_sklearn(X, **made.settings())),
            }
        )

    name = f"fit-{fit.shape}"
    rows = [
        Row(f"{name}-plain", "ours", "loop, plain Adam", target, "a step without bookkeeping"),
        Row(f"{name}-fused", "ours", "loop, fused Adam", fused_target, "the same, with fused Adam"),
    ]
    if mlp:
        rows.append(Row(f"{name}-mlp", "MLPRegressor", "ours", 1.0, "equal", False))
    return Contest(tuple(rows), prepare, is_cheap=True)


def against_others(fit, target=2.5):
    """Return the contest of a fit and the fits of libraries that load batches row by row."""
    others = {"skorch": fit_skorch, "pyod": fit_pyod, "pythae": fit_pythae}

    def prepare(quick):
        made = fit.made(quick)
        X = made.rows()
        fits = {name: partial(call, X, **made.settings()) for name, call in others.items()}
        return taking_turns({"ours": timed(lambda: made.ours(X)), **_timed(fits)})

    reason = "at most 2.2 before our fits became faster"
    rows = (
        Row(f"fit-{fit.shape}-{name}", name, "ours", target, reason, False, needs=name)
        for name in others
    )
    return Contest(tuple(rows), prepare)


def learned_variance(fit):
    """Return the contest of a learned noise variance and one set by a PCA."""

    def prepare(quick):
        made = fit.made(quick)
        X = made.rows()
        return taking_turns(
            {
                f"{kind} variance": timed(partial(made.ours, X, noise_variance=value))
                for kind, value in {"learned": "learned", "held": "pca"}.items()
            }
        )

    reason = "only a mean of known residuals"
    row = Row("learned-variance", "learned variance", "held variance", 1.03, reason)
    return Contest((row,), prepare)


def total_correlation(fit, target):
    """Return the contest of a beta-TCVAE and a VAE."""

    def prepare(quick):
        made = fit.made(quick)
        X = made.rows()
        fits = {"beta-TCVAE": BetaTCVAETransformer, "VAE": VAETransformer}
        calls = {name: partial(made.ours, X, estimator) for name, estimator in fits.items()}
        return taking_turns(_timed(calls))

    reason = "arithmetic of batch x batch x codes, without page faults"
    name = f"tcvae-{fit.n_features}"
    return Contest((Row(name, "beta-TCVAE", "VAE", target, reason),), prepare)


def more_rows():
    """Return the contest of the time per row for more and more rows, with the same epochs."""
    fits = [Fit(10**power, 20, (64, 64), 256, 2) for power in (4, 5, 6)]
    names = [f"a row of {fit.n_samples:,}" for fit in fits]

    def prepare(quick):
        contenders = {}
        for name, fit in zip(names, fits, strict=True):
            made = fit.made(quick)
            number = 1 if quick else max(1, 10**5 // fit.n_samples)
            fitted = partial(made.ours, made.rows())
            contenders[name] = timed(fitted, number=number, parts=made.n_samples)
        return taking_turns(contenders)

    rows = tuple(
        Row(f"rows-{fit.n_samples}", name, names[0], 1.15, "constant; fixed costs fall")
        for name, fit in zip(names[1:], fits[1:], strict=True)
    )
    return Contest(rows, prepare)


def more_columns(fit):
    """Return the contest of a fit and a hand-written loop, for a given number of columns."""

    def prepare(quick):
        made = fit.made(quick)
        X = made.rows()
        return taking_turns(
            {"ours": timed(lambda: made.ours(X)), "loop, plain Adam": timed(lambda: made.loop(X))}
        )

    name = f"columns-{fit.n_features}"
    few = fit.n_features < 1000
    target, reason = (0.60, "as for 30 columns") if few else (0.73, "as for 784 columns")
    return Contest((Row(name, "ours", "loop, plain Adam", target, reason),), prepare)


def _timed(calls):
    return {name: timed(call) for name, call in calls.items()}


FITS = (
    against_loops(Fit(1797, 64, (64, 64), 128, 200), 0.60, 0.78),
    against_loops(Fit(20_000, 30, (64, 64), 256, 30), 0.60, 0.78),
    against_loops(Fit(20_000, 784, (256, 256), 128, 7), 0.73, 0.83, mlp=False),
    against_others(Fit(1797, 64, (64, 64), 128, 120)),
    against_others(Fit(20_000, 30, (64, 64), 256, 18)),
    learned_variance(Fit(640, 784, (256, 256), 128, 100)),
    total_correlation(Fit(20_000, 30, (64, 64), 256, 15), 2.5),
    total_correlation(Fit(10_000, 784, (256, 256), 256, 8), 1.3),
    more_rows(),
    more_columns(Fit(5120, 10, (64, 64), 256, 70)),
    more_columns(Fit(5120, 100, (64, 64), 256, 60)),
    more_columns(Fit(1024, 1000, (64, 64), 256, 120)),
    more_columns(Fit(512, 10_000, (64, 64), 256, 40)),
)
