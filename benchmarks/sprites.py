"""Claim: the grid of dSprites, 737,280 images of 64 x 64 pixels, is drawn in under five minutes.

``make_sprites`` is timed on one core. The table has seconds by the clock, processor time, and
processor time per image in microseconds. Usually a tenth of the grid is drawn, in random rows. With
``--full``, the whole grid is drawn in memory (3 GB), and into a file. Other sizes, colours and
noise are also timed. Then the areas of the shapes at orientation 0 and position 0 are compared with
those of dSprites.

``--data`` is the official file, or an .npz file of some of its rows with the keys ``X`` (n, 64, 64)
and ``factor_values`` (n, 5). With it, images of the same factor values are compared. The table has
the number of different pixels, also as a share of the foreground.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import numpy as np
from _common import make_parser, print_machine, print_table, save

from skvae.datasets import make_sprites
from skvae.datasets.drawing import SHAPES, draw

TARGET = 300.0  # seconds for the grid
N_IMAGES = 737_280
BLOCK = 256  # images that are compared at once
COUNTS = {
    "square": (100, 144, 196, 256, 324, 400),
    "ellipse": (76, 104, 144, 184, 228, 288),
    "heart": (58, 84, 108, 140, 182, 222),
}


def speed(label, n_samples, **options):
    """Return the row of one call of ``make_sprites``."""
    clock, processor = perf_counter(), process_time()
    n_images = len(make_sprites(n_samples, random_state=0, **options).data)
    seconds = {"clock": perf_counter() - clock, "processor": process_time() - processor}
    return {"case": label, "images": n_images, **seconds}


def speeds(full):
    """Return the rows of all cases."""
    n_samples = None if full else N_IMAGES // 10
    rows = [speed("64 x 64", n_samples)]
    with TemporaryDirectory() as folder:
        rows.append(speed("64 x 64, memmap", n_samples, memmap=Path(folder) / "rows.npy"))
    few = N_IMAGES // 10
    rows += [speed(f"{size} x {size}", few, size=size) for size in (16, 32, 128)]
    rows.append(speed("64 x 64, 6 colours", few, n_colors=6))
    rows.append(speed("64 x 64, noise", few, noise=0.5))
    return rows


def areas():
    """Return the rows of the areas of our shapes and of those in dSprites."""
    rows = []
    for shape, counts in COUNTS.items():
        made = make_sprites(shapes=(shape,), n_orientations=1, n_positions=2)
        drawn = (made.images.reshape(6, 4, -1)[:, 0] > 0).sum(axis=1)
        rows.append({"shape": shape, "drawn": drawn.tolist(), "dsprites": counts})
    return rows


def load(path):
    """Return images and the values of their five factors."""
    with np.load(path, allow_pickle=False) as archive:
        if "imgs" in archive:
            return archive["imgs"], archive["latents_values"][:, 1:]
        return archive["X"], archive["factor_values"]


def mismatches(path):
    """Return, for each shape and for all, the number of different pixels."""
    images, values = load(path)
    wrong = np.empty(len(images), dtype=np.int64)
    foreground = np.empty(len(images), dtype=np.int64)
    for start in range(0, len(images), BLOCK):
        block = slice(start, start + BLOCK)
        real = images[block] > 0
        wrong[block] = (draw(64, values[block]) != real).sum(axis=(1, 2))
        foreground[block] = real.sum(axis=(1, 2))
    kinds = [(name, values[:, 0] == place) for place, name in enumerate(SHAPES, start=1)]
    return [
        {
            "shape": name,
            "images": int(kept.sum()),
            "foreground": int(foreground[kept].sum()),
            "wrong": int(wrong[kept].sum()),
            "most": int(wrong[kept].max()),
            "identical": float((wrong[kept] == 0).mean()),
        }
        for name, kept in [*kinds, ("all", np.ones(len(images), dtype=bool))]
        if kept.any()
    ]


def print_mismatches(rows):
    header = ("shape", "images", "foreground", "wrong", "share", "most in one", "identical images")
    cells = [
        [
            row["shape"],
            f"{row['images']}",
            f"{row['foreground']}",
            f"{row['wrong']}",
            f"{row['wrong'] / row['foreground']:.2%}",
            f"{row['most']}",
            f"{row['identical']:.0%}",
        ]
        for row in rows
    ]
    print_table(header, cells)


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--full", action="store_true", help="the whole grid (3 GB of memory)")
    parser.add_argument("--data", type=Path, help="an .npz file of dSprites to compare with")
    arguments = parser.parse_args()
    print_machine()
    rows = speeds(arguments.full)
    cells = [
        [
            row["case"],
            f"{row['images']}",
            f"{row['clock']:.1f}",
            f"{row['processor']:.1f}",
            f"{row['processor'] / row['images'] * 1e6:.0f}",
        ]
        for row in rows
    ]
    print_table(("case", "images", "clock, s", "processor, s", "us an image"), cells)
    counted = areas()
    for row in counted:
        row["worst"] = int(np.abs(np.subtract(row["drawn"], row["dsprites"])).max())
    columns = ("shape", "drawn", "dsprites", "worst")
    lists = [[" ".join(map(str, np.atleast_1d(row[key]))) for key in columns] for row in counted]
    print_table(("shape", "pixels drawn, by scale", "in dSprites", "worst"), lists, n_left=3)
    compared = []
    if arguments.data is not None:
        compared = mismatches(arguments.data)
        print_mismatches(compared)
    save("sprites", rows, full=arguments.full, areas=counted, mismatches=compared, target=TARGET)
    seconds = max(row["processor"] for row in rows[:2]) * N_IMAGES / rows[0]["images"]
    if seconds > TARGET:
        sys.exit(f"The grid takes {seconds:.0f} s, more than {TARGET:.0f} s.")
    print(f"The grid takes {seconds:.0f} s{'' if arguments.full else ', at this rate'}.")


if __name__ == "__main__":
    main()
