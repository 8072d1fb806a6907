"""The last step of drawing faces: one file of what the drawing program writes."""

import json

import numpy as np
from avatars.pack import pack

from skvae.datasets import load_factor_images


def test_what_was_drawn_is_what_is_read(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 3), dtype=np.uint8)
    drawn = {
        "side": 4,
        "names": ["glasses", "tilt"],
        "levels": {"glasses": ["none", "none", "round"]},
        "factors": [[0, -12], [2, 12], [0, 0]],
    }
    (tmp_path / "few.rgb").write_bytes(pixels.tobytes())
    (tmp_path / "few.json").write_text(json.dumps(drawn))
    pack(tmp_path / "few")
    images = load_factor_images(tmp_path / "few.npz")
    assert images.image_shape == (4, 4, 3)
    np.testing.assert_array_equal(images.data, pixels.reshape(3, -1))
    assert images.factor_names == ("glasses", "tilt")
    assert images.factor_levels == (("none", "round"), (-12, 0, 12))
    np.testing.assert_array_equal(images.factors, [[0, 0], [1, 2], [0, 1]])
    with np.load(tmp_path / "few.npz") as content:
        assert content["factors"].dtype == np.int16
