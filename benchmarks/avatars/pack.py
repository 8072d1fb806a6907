"""Make ``avatars64.npz`` of what ``draw.mjs`` has drawn.

12,000 faces of 64 x 64 pixels, in colour, with 15 independent factors. In this folder, with
Node.js 18 or newer, in a minute::

    npm install --no-package-lock
    node draw.mjs 12000 FOLDER/avatars64
    python pack.py FOLDER/avatars64

The file's keys: ``X``, uint8, (n, 64, 64, 3); ``factors``, int16, (n, 15), the number of a level
in ``factor_levels``, or for x, y, size and tilt the value itself; ``factor_names``;
``factor_levels``, JSON, {factor: names of its levels}. "none" is there three times for glasses
and beards, and so as often drawn; in ``factors`` it is the first of the three.
``skvae.datasets.load_factor_images`` reads the file.

Designs by Pablo Stanley, free for personal and commercial use (https://avataaars.com); drawn by
DiceBear 9.4 (https://dicebear.com, MIT). Drawn anew with the versions of ``package.json``, all
12,000 images and their factors were the same to the last bit.
"""

import json
from argparse import ArgumentParser
from pathlib import Path

import numpy as np


def pack(name):
    """Write NAME.npz from NAME.rgb and NAME.json."""
    drawn = json.loads(Path(f"{name}.json").read_text())
    side, factors = drawn["side"], np.array(drawn["factors"], dtype=np.int16)
    np.savez_compressed(
        f"{name}.npz",
        X=np.fromfile(f"{name}.rgb", dtype=np.uint8).reshape(len(factors), side, side, 3),
        factors=factors,
        factor_names=np.array(drawn["names"]),
        factor_levels=json.dumps(drawn["levels"]),
    )


if __name__ == "__main__":
    parser = ArgumentParser(description="Make NAME.npz of NAME.rgb and NAME.json.")
    parser.add_argument("name", help="as given to draw.mjs")
    pack(parser.parse_args().name)
