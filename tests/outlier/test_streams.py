"""Streams: rows wait in a window before the model trains on them, and set the threshold there."""

from collections import deque
from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator

from skvae import AutoencoderOutlierDetector, VAETransformer

CONTAMINATION = 0.05
N_CHUNKS, CHUNK_ROWS, N_WAITING = 40, 100, 5
CHANGE = N_CHUNKS // 4


def chunks(seed):
    """Yield rows around a plane, first many and then few at a time.

    Their mean moves all the time, by half a standard deviation in all. At a quarter of
    the chunks the noise doubles.
    """
    rng = np.random.RandomState(seed)
    plane, direction = rng.standard_normal((2, 6)), rng.choice([-1.0, 1.0], 6)
    for number in range(-N_WAITING - 1, N_CHUNKS):
        n_samples = CHUNK_ROWS if number >= -N_WAITING else 10 * CHUNK_ROWS
        noise = 0.3 if number < CHANGE else 0.6
        rows = rng.standard_normal((n_samples, 2)) @ plane + 0.5 * number / N_CHUNKS * direction
        yield rows + noise * rng.standard_normal(rows.shape)


@dataclass
class Streamed:
    """What a stream left: the flagged rows of each chunk under both thresholds, and the models."""

    updated: np.ndarray
    fixed: np.ndarray
    vae: VAETransformer
    detector: AutoencoderOutlierDetector
    window: np.ndarray

    @classmethod
    def by(cls, seed):
        vae = VAETransformer(2, hidden_layer_sizes=(16,), batch_size=50, max_epochs=20)
        vae.set_params(lr=1e-2, random_state=0)
        detector = AutoencoderOutlierDetector(FrozenEstimator(vae), contamination=CONTAMINATION)
        stream = chunks(seed)
        vae.fit(next(stream))
        window = deque(next(stream) for _ in range(N_WAITING))
        at_first = detector.fit(np.concatenate(window)).offset_
        updated, fixed = [], []
        for chunk in stream:
            scores = detector.score_samples(chunk)
            updated.append(scores < detector.offset_)
            fixed.append(scores < at_first)
            window.append(chunk)
            vae.partial_fit(window.popleft())
            detector.fit(np.concatenate(window))
        waiting = np.concatenate(window)
        return cls(np.array(updated), np.array(fixed), vae, detector, waiting)


@pytest.fixture(scope="module")
def streamed():
    return Streamed.by(seed=0)


def test_a_window_keeps_the_share_flagged_at_the_contamination(streamed):
    late = streamed.updated[-N_CHUNKS // 2 :]
    # Chance moves the rows flagged and, as much again, the thresholds: each row sets some of them.
    error = np.sqrt(2 * CONTAMINATION * (1 - CONTAMINATION) / late.size)
    assert abs(late.mean() - CONTAMINATION) < 3 * error


def test_a_threshold_of_the_start_flags_several_times_as_many(streamed):
    assert streamed.fixed[-N_CHUNKS // 2 :].mean() > 4 * CONTAMINATION


def test_a_change_is_flagged_until_the_window_has_passed_it(streamed):
    assert streamed.updated[CHANGE].mean() > 3 * CONTAMINATION
    recovered = streamed.updated[CHANGE + N_WAITING : CHANGE + 2 * N_WAITING]
    error = np.sqrt(2 * CONTAMINATION * (1 - CONTAMINATION) / recovered.size)
    assert abs(recovered.mean() - CONTAMINATION) < 3 * error


def test_the_detector_has_the_model_that_the_stream_trains(streamed):
    (frozen,) = streamed.detector.estimators_
    assert frozen.estimator is streamed.vae
    assert streamed.vae.n_samples_seen_ == (10 + N_CHUNKS) * CHUNK_ROWS
    np.testing.assert_array_equal(
        streamed.detector.score_samples(streamed.window),
        streamed.vae.score_samples(streamed.window),
    )


def test_the_threshold_is_that_of_the_rows_that_wait(streamed):
    scores = np.sort(streamed.vae.score_samples(streamed.window))
    np.testing.assert_array_equal(streamed.detector.calibration_scores_, scores)
    assert np.mean(streamed.detector.predict(streamed.window) == -1) == CONTAMINATION
