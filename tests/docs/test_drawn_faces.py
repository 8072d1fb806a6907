"""The faces of the gallery: each is drawn from its factors alone."""

import runpy
from pathlib import Path

import numpy as np

FACES = runpy.run_path(str(Path(__file__).parents[2] / "docs/examples/drawn_faces.py"))
draw_faces = FACES["draw_faces"]


def test_faces_do_not_depend_on_what_the_memory_held(monkeypatch):
    X, factors = draw_faces(20, size=8)
    empty = np.empty

    def holding_nan(*arguments, **options):
        array = empty(*arguments, **options)
        if array.dtype.kind == "f":
            array.fill(np.nan)
        return array

    monkeypatch.setattr(np, "empty", holding_nan)
    again, _ = draw_faces(20, size=8)
    np.testing.assert_array_equal(again, X)
    assert X.shape == (20, 8 * 8 * 3)
    assert X.min() >= 0
    assert X.max() <= 1
    assert (factors < list(FACES["LEVELS"].values())).all()
