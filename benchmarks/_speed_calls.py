"""The time of the methods of a fitted model, compared with a bare pass or with transform."""

from itertools import cycle

import numpy as np
import torch
from _plain_networks import (
    LEARNING_RATE,
    N_COMPONENTS,
    NegativeELBO,
    PlainVAE,
    mixed_factors,
    plain_step,
)
from _speed_contests import Contest, Row, taking_turns, timed

from skvae import VAETransformer
from skvae.outlier import AutoencoderOutlierDetector

__all__ = ["CALLS"]

HIDDEN = (64, 64)
FITTED_ROWS = 2000  # fitted for one epoch: the time of a method does not depend on the weights
BLOCK = 4096  # rows; between 256 and 16,384 it is the fastest for the bare pass


def fitted(X, **parameters):
    """Return a VAE with the benchmarks' layers, fitted to the first rows for one epoch."""
    settings = {"hidden_layer_sizes": HIDDEN, "max_epochs": 1, "random_state": 0, **parameters}
    return VAETransformer(N_COMPONENTS, **settings).fit(X[:FITTED_ROWS])


def bare_pass(n_samples):
    """Return the contest of ``transform`` and a bare pass of a network over blocks of rows."""

    def prepare(quick):
        X = mixed_factors(512 if quick else n_samples, 20)
        number = 1 if quick else max(1, 10**6 // n_samples)
        model, encoder = fitted(X), PlainVAE(20, HIDDEN).encoder

        @torch.inference_mode()
        def passed():
            blocks = torch.from_numpy(X).split(BLOCK)
            return torch.cat([encoder(x)[:, :N_COMPONENTS] for x in blocks]).numpy()

        return taking_turns(
            {
                "transform": timed(lambda: model.transform(X), number=number),
                "bare pass": timed(passed, number=number),
            }
        )

    reason = "only the network, in buffers that are reused"
    row = Row(f"transform-{n_samples}", "transform", "bare pass", 0.9, reason)
    return Contest((row,), prepare, is_cheap=True)


def one_row():
    """Return the contest of the scores of a single row and its ``transform``."""

    def prepare(quick):
        X = mixed_factors(FITTED_ROWS, 64)
        number = 1 if quick else 300
        model = fitted(X)
        detector = AutoencoderOutlierDetector(model, random_state=0).fit(X[:FITTED_ROWS])
        row = X[:1]
        return taking_turns(
            {
                "transform, 1 row": timed(lambda: model.transform(row), number=number),
                "score_samples, 1 row": timed(lambda: model.score_samples(row), number=number),
                "detector's predict, 1 row": timed(lambda: detector.predict(row), number=number),
            }
        )

    rows = (
        Row(f"one-row-{name}", contender, "transform, 1 row", target, "0.3 ms in addition to 0.25")
        for name, contender, target in (
            ("score", "score_samples, 1 row", 2.2),
            ("predict", "detector's predict, 1 row", 2.2),
        )
    )
    return Contest(tuple(rows), prepare, is_cheap=True)


def many_scores():
    """Return the contest of the scores of many rows and their ``transform``."""

    def prepare(quick):
        X = mixed_factors(512 if quick else 10_000, 784)
        model = fitted(X, hidden_layer_sizes=(256, 256))
        return taking_turns(
            {
                "transform": timed(lambda: model.transform(X), number=1 if quick else 3),
                "score_samples": timed(lambda: model.score_samples(X)),
            }
        )

    reason = "20 draws; QR for the last layer"
    row = Row("scores", "score_samples", "transform", 9.0, reason)
    return Contest((row,), prepare, is_cheap=True)


def samples():
    """Return the contest of ``sample`` in float32 and the decoding of the same number of codes."""

    def prepare(quick):
        X = mixed_factors(FITTED_ROWS, 64)
        n_samples, number = (512, 1) if quick else (20_000, 10)
        model = fitted(X)
        codes = np.random.default_rng(0).standard_normal((n_samples, N_COMPONENTS))
        codes = codes.astype(np.float32)
        return taking_turns(
            {
                "sample": timed(lambda: model.sample(n_samples, random_state=0), number=number),
                "inverse_transform": timed(lambda: model.inverse_transform(codes), number=number),
            }
        )

    reason = "the same decoding, plus draws of codes"
    row = Row("sample", "sample", "inverse_transform", 1.3, reason)
    return Contest((row,), prepare, is_cheap=True)


def precision():
    """Return the contest of ``transform`` in double and in single precision."""

    def prepare(quick):
        X = mixed_factors(FITTED_ROWS if quick else 20_000, 64)
        number = 1 if quick else 20
        model, doubles = fitted(X), X.astype(np.float64)
        return taking_turns(
            {
                "transform, float64": timed(lambda: model.transform(doubles), number=number),
                "transform, float32": timed(lambda: model.transform(X), number=number),
            }
        )

    reason = "half as many numbers per instruction, plus a tenth"
    row = Row("float64", "transform, float64", "transform, float32", 2.2, reason)
    return Contest((row,), prepare, is_cheap=True)


def few_rows(n_rows=20):
    """Return the contest of ``partial_fit`` of a few rows and a step of a hand-written loop."""

    def prepare(quick):
        X = mixed_factors(FITTED_ROWS, 64)
        number = 1 if quick else 100
        chunks = cycle(np.split(X, FITTED_ROWS // n_rows))
        model = VAETransformer(N_COMPONENTS, hidden_layer_sizes=HIDDEN, random_state=0)
        model.partial_fit(X)
        plain, criterion = PlainVAE(64, HIDDEN), NegativeELBO()
        optimizer = torch.optim.Adam(plain.parameters(), lr=LEARNING_RATE)

        def step():
            plain_step(plain, criterion, optimizer, torch.from_numpy(next(chunks)))

        return taking_turns(
            {
                "partial_fit": timed(lambda: model.partial_fit(next(chunks)), number=number),
                "a step by hand": timed(step, number=number),
            }
        )

    reason = "4 ms, if a step takes 1 ms"
    row = Row("partial-fit", "partial_fit", "a step by hand", 4.0, reason)
    return Contest((row,), prepare, is_cheap=True)


CALLS = (
    bare_pass(10**4),
    bare_pass(10**5),
    bare_pass(10**6),
    one_row(),
    many_scores(),
    samples(),
    precision(),
    few_rows(),
)
