"""Which image network has the smallest held-out error after a given training time on one core?

VAEs with 32 codes and a noise variance of 0.5 are trained on the images of ``--data``. They have
our networks, or the network of most tutorials. The default network is trained twice: with the
default learning rate of 1e-3, and with 2e-3. So is the paper's: with 1e-3, and with its own rate of
1e-4. Each fit uses chunks of 1,024 images, and sees every image once before any image comes again.
The budgets of ``--minutes`` are processor time. A fit is measured each time that it reaches a
budget:

- the mean squared error of the reconstructions of held-out images, for pixels in [0, 1];
- the mean evidence lower bound of a held-out image on the same scale, in nats;
- if the factors of the images are known: the AUC of models that predict the features of the paper
  from the codes. One model is linear, the other is a perceptron. The features may be in the codes
  although no linear model finds them there.

The same is measured for a PCA with as many components. The last line of the table is a linear model
that sees all pixels. It takes minutes, and its result is kept with the rows.

A network is not trained again if its row is in the results. To train it again, delete the row or
the file. The rows "residual, maps alone" show the residual network before its decoder had a dense
path. This script no longer trains it.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # read by the libraries when they are imported

import json
from pathlib import Path
from time import process_time

import numpy as np
from _common import (
    RESULTS,
    machine,
    make_parser,
    one_thread,
    print_machine,
    print_table,
    save,
    save_picture,
)
from _image_readers import linear_auc_of_pixels, perceptron_auc
from _paper_data import floats, load, some
from _paper_factors import features_of
from _paper_probes import MOST_ROWS, probe_features
from _plain_image_network import plain_networks
from sklearn.decomposition import PCA

from skvae import VAETransformer

BATCH_SIZE = 128
N_COMPONENTS = 32
NOISE_VARIANCE = 0.5  # so that minus log p(x|z) is the squared error
CHUNK = 1_024
MOST_HELD_OUT = 2_000
MOST_SCORED = 400  # of these, for the bound, which decodes an image 64 times
# Architecture and learning rate. None is the network of most tutorials.
NETWORKS = {
    "residual": ("residual", 1e-3),
    "residual, lr 2e-3": ("residual", 2e-3),
    "hybrid": ("hybrid", 1e-3),
    "plain": (None, 1e-3),
    "paper, lr 1e-3": ("paper", 1e-3),
    "paper, lr 1e-4": ("paper", 1e-4),
}


def make(name, image_shape):
    """Return a VAE with one of the networks, unfitted."""
    architecture, lr = NETWORKS[name]
    network = {"image_shape": image_shape, "architecture": architecture}
    if architecture is None:
        network = plain_networks(image_shape)
    return VAETransformer(
        N_COMPONENTS,
        noise_variance=NOISE_VARIANCE,
        input_scale=1 / 255,
        batch_size=BATCH_SIZE,
        lr=lr,
        random_state=0,
        **network,
    )


def chunks(X, rng):
    """Yield chunks of rows without end. Every row comes once before any row comes again."""
    while True:
        order = rng.permutation(len(X))
        for part in np.array_split(order, max(1, round(len(X) / CHUNK))):
            yield X[part]


def measures(estimator, images, features):
    """Return the held-out error and bound, and the AUC of the features."""
    n_features = images.test.shape[1]
    codes = [estimator.transform(part) for part in (some(images.train, MOST_ROWS), images.test)]
    # A density of bytes has the Jacobian, 255 for every pixel and channel.
    bound = estimator.score(some(images.test, MOST_SCORED)) + n_features * np.log(255)
    return {
        "error": float(estimator.reconstruction_error(images.test).mean()) / 255**2,
        "elbo": float(bound),
        **readings(*codes, images, features),
    }


def readings(train, test, images, features):
    """Return the AUC of a linear model and of a perceptron that read the features off codes."""
    return {
        "auc": probe_features(train, test, images, features),
        "perceptron_auc": perceptron_auc(train, test, images, features),
    }


def train(name, images, features, budgets):
    """Return the measures of one network at every budget, in seconds of processor time."""
    estimator, spent, curve = make(name, images.image_shape), 0.0, []
    stream = chunks(images.train, np.random.default_rng(0))
    for budget in budgets:
        while spent < budget:
            chunk = next(stream)
            started = process_time()
            estimator.partial_fit(chunk)
            spent += process_time() - started
        seen = int(estimator.n_samples_seen_)
        curve.append({"seconds": spent, "images": seen, **measures(estimator, images, features)})
    where = {fact: machine()[fact] for fact in ("date", "processor")}  # rows may be of several runs
    return {"network": name, **where, "curve": curve}


def of_pca(images, features):
    """Return the held-out error of a PCA with the same number of components, and its readings."""
    train, test = (floats(part) for part in (some(images.train, MOST_ROWS), images.test))
    pca = PCA(N_COMPONENTS, random_state=0).fit(train)
    codes = [pca.transform(part) for part in (train, test)]
    error = float(((pca.inverse_transform(codes[1]) - test) ** 2).mean())
    return {"error": error, **readings(*codes, images, features)}


def report(rows, features, pca, pixels):
    """Print the table."""
    columns = [f"{feature}, linear / perceptron" for feature in features]
    header = ("network", "date", "seconds", "images", "held-out error", "ELBO", *columns)
    print_table(header, lines_of(rows, features, pca, pixels))


def lines_of(rows, features, pca, pixels):
    """Return the cells of a line for every network and budget, and then of PCA and of pixels."""
    lines = [
        [
            row["network"],
            row["date"],
            f"{at['seconds']:.0f}",
            f"{at['images']:,}",
            f"{at['error']:.5f}",
            f"{at['elbo']:.1f}",
            *auc_cells(at, features),
        ]
        for row in rows
        for at in row["curve"]
    ]
    lines.append(["PCA", "", "", "", f"{pca['error']:.5f}", "", *auc_cells(pca, features)])
    if features:
        lines.append(["pixels", "", "", "", "", "", *auc_cells({"auc": pixels}, features)])
    return lines


def auc_cells(measured, features):
    """Return a cell for each feature, without the perceptron's AUC where it was not measured."""
    kinds = [measured[kind] for kind in ("auc", "perceptron_auc") if kind in measured]
    return [" / ".join(f"{kind[feature]:.3f}" for kind in kinds) for feature in features]


def draw(axes, rows, pca):
    """Draw the held-out error over the training time."""
    for row in rows:
        curve = [(at["seconds"] / 60, at["error"]) for at in row["curve"]]
        axes.plot(*zip(*curve, strict=True), marker="o", markersize=4, label=row["network"])
    line = {"color": "0.6", "linestyle": "--", "linewidth": 1}
    axes.axhline(pca["error"], label=f"PCA {N_COMPONENTS}", **line)
    axes.set_xscale("log")
    minutes = sorted({round(at["seconds"] / 60) for row in rows for at in row["curve"]})
    axes.set_xticks(minutes, [str(number) for number in minutes])
    axes.xaxis.minorticks_off()
    axes.set_xlabel("training time, minutes of one processor core")
    axes.set_ylabel("held-out squared error")
    axes.figure.legend(loc="outside upper left", frameon=False, fontsize=8, ncols=3)
    axes.spines[["top", "right"]].set_visible(False)


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--data", required=True, help="npz:PATH with a key X, uint8 images")
    parser.add_argument("--minutes", type=float, nargs="+", default=[2, 5, 15], help="budgets")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    arguments = parser.parse_args()
    one_thread()
    print_machine()
    images = load(arguments.data, RESULTS / "paper-fits", None, MOST_HELD_OUT)
    features = features_of(images)
    budgets = [60 * minutes for minutes in sorted(arguments.minutes)]
    name, pca = f"image_frontier-{images.name}", of_pca(images, features)
    path = Path(f"{RESULTS / name}.json")
    kept = json.loads(path.read_text()) if path.exists() else {"settings": {}, "rows": []}
    rows, pixels = kept["rows"], kept["settings"].get("pixels_auc")
    if pixels is None:
        pixels = linear_auc_of_pixels(images, features)
    settings = {"n_components": N_COMPONENTS, "batch_size": BATCH_SIZE, "pca": pca}
    settings["pixels_auc"] = pixels
    save(name, rows, **settings)
    for network in arguments.networks:
        if network not in {row["network"] for row in rows}:
            rows.append(train(network, images, features, budgets))
            save(name, rows, **settings)
            report(rows[-1:], features, pca, pixels)
    report(rows, features, pca, pixels)
    save_picture(name, lambda axes: draw(axes, rows, pca), width=5.5)


if __name__ == "__main__":
    main()
