"""The options of the paper's experiment: defaults, allowed values, and the name of the results."""

import math
from argparse import ArgumentParser, ArgumentTypeError, BooleanOptionalAction
from argparse import RawDescriptionHelpFormatter as Plain
from pathlib import Path

import torch
from _common import RESULTS
from _paper_fits import BATCH_SIZE

from skvae.nn.architectures import ARCHITECTURES
from skvae.training.precision import PRECISIONS

__all__ = ["EPOCHS", "QUICK_STEPS", "check_device", "file_name", "parse"]

EPOCHS, BETA, TC_BETA, LATENT = 30, 5.0, 20.0, 32  # as in the paper
NOISE_VARIANCE = 0.5  # with it, minus log p(x|z) is the squared error of the paper's formula
AS_CODED = math.log1p(math.exp(0.01)) ** 2  # the paper's program asks for 0.01, through a softplus
# The paper's learning rate suits its network. Other networks use the default of the estimators, for
# which they were made. At a tenth of it, 30 epochs of about 10,000 images are too few.
PAPER_LR, LR = 1e-4, 1e-3
# Without --quick (False) and with it (True): the largest numbers of training and held-out images,
# and further betas.
SCALES = {
    False: (None, 2_000, [2.0, 20.0], [5.0, 100.0]),
    True: (2_000, 1_000, [20.0], [100.0]),
}
QUICK_STEPS = 48
# The words for options in the name of the results. Other options only add fits or repeat them.
WORDS = {
    "lr": "lr",
    "epochs": "epochs",
    "rows": "rows",
    "latent": "latent",
    "noise_variance": "variance",
    "betas": "betas",
    "tc_betas": "tc-betas",
}
MOST_SEED = 2**32 - 1  # of NumPy's RandomState


def whole(least, most=None):
    """Return the type of an option for a whole number of at least ``least``."""
    wanted = f"of at least {least}" if most is None else f"from {least} to {most}"

    def number(text):
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least or (most is not None and value > most):
            raise ArgumentTypeError(f"needs a whole number {wanted}. Got {text} instead.")
        return value

    return number


def positive(text):
    """Return a positive number from text, as the type of an option."""
    return _number(text, "positive", lambda value: value > 0)


def non_negative(text):
    """Return a number of at least 0 from text, as the type of an option."""
    return _number(text, "non-negative", lambda value: value >= 0)


def _number(text, kind, allowed):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or not allowed(value):
        raise ArgumentTypeError(f"needs a finite, {kind} number. Got {text} instead.")
    return value


def folder(text):
    """Return the path of a folder, which may be new, from text, as the type of an option."""
    path = Path(text)
    if any(part.exists() and not part.is_dir() for part in (path, *path.parents)):
        raise ArgumentTypeError(f"needs a folder. Got {text} instead, which is a file or in one.")
    return path


def parse(docstring, arguments=None):
    """Return the options, with the defaults of --quick and of the network."""
    parser = ArgumentParser(description=docstring.strip(), formatter_class=Plain)
    add = parser.add_argument
    add("--data", required=True, help="celeba:ROOT, or npz:PATH with a key X, uint8 images")
    add("--architecture", choices=[*ARCHITECTURES], default="paper", help="(default: paper)")
    add("--models", choices=["all", "four"], default="all", help="four: only those of the figures")
    add("--learned", action=BooleanOptionalAction, help="a VAE of learned variance (default: all)")
    add("--rare", action=BooleanOptionalAction, help="fits with rare features (default: all)")
    add("--device", choices=["cpu", "cuda"], default="cpu", help="(default: cpu)")
    add("--precision", choices=PRECISIONS, default="float32", help="(default: float32)")
    seed = whole(0, MOST_SEED)
    add("--seeds", type=seed, nargs="+", default=[0], help="seeds of each model (default: 0)")
    add("--quick", action="store_true", help="fewer rows, steps and betas")
    epochs = f"(default: {EPOCHS}; --quick: {QUICK_STEPS} steps)"
    add("--epochs", type=whole(1), help=epochs)
    beta = {"type": non_negative, "nargs": "+"}
    add("--betas", **beta, help="betas of the beta-VAE; the first is for the table")
    add("--tc-betas", **beta, help="betas of the beta-TCVAE, likewise")
    variance = parser.add_mutually_exclusive_group().add_argument
    variance("--noise-variance", type=positive, help=f"(default: {NOISE_VARIANCE})")
    coded = f"that of the paper's program, {AS_CODED:.3f}"
    variance("--as-coded", action="store_true", help=coded)
    add("--latent", type=whole(1), default=LATENT, help="n_components (default: %(default)s)")
    add("--lr", type=positive, help="(default: 1e-4 for the paper's network; otherwise 1e-3)")
    rows = "training images (default: all; --quick: 2,000)"
    add("--rows", type=whole(BATCH_SIZE), help=rows)
    n_jobs = "fits at a time, with one thread each (default: 2; on a GPU 1)"
    add("--n-jobs", type=whole(1), help=n_jobs)
    add("--out", type=folder, default=RESULTS, help="folder (default: benchmarks/results)")
    return completed(parser.parse_args(arguments))


def completed(options):
    """Return the options with defaults for those that were not given.

    With --quick, ``epochs`` may stay None, since its default depends on the images. ``changed`` has
    the options that differ from their defaults and change the fits, for the name of the results.
    """
    quick, slow = options.quick, options.architecture == "paper" and not options.quick
    rows, options.held_out, betas, tc_betas = SCALES[quick]
    defaults = {
        "lr": PAPER_LR if slow else LR,
        "epochs": None if quick else EPOCHS,
        "rows": rows,
        "latent": LATENT,
        "noise_variance": AS_CODED if options.as_coded else NOISE_VARIANCE,
        "betas": [BETA, *betas],
        "tc_betas": [TC_BETA, *tc_betas],
        "n_jobs": 2 if options.device == "cpu" else 1,
    }
    for name, default in defaults.items():
        if getattr(options, name) is None:
            setattr(options, name, default)
    options.changed = [
        word + _text(getattr(options, name))
        for name, word in WORDS.items()
        if getattr(options, name) != defaults[name]
    ]
    options.seeds = list(dict.fromkeys(options.seeds))
    options.asks_for_rare = options.rare is True
    if options.learned is None:
        options.learned = options.models == "all"
    if options.rare is None:  # CelebA is too large for three copies, and has rare features
        all_of_them = options.models == "all" and not options.quick
        options.rare = all_of_them and options.data.startswith("npz:")
    return options


def _text(value):
    """Return a number or numbers as a part of a name."""
    return "_".join(f"{number:g}" for number in (value if isinstance(value, list) else [value]))


def file_name(options, data):
    """Return the name of the results. Options that change the fits give another name."""
    parts = ["paper", data, options.architecture, *options.changed]
    parts += [options.precision] * (options.precision != "float32")
    parts += ["as-coded"] * options.as_coded + ["cuda"] * (options.device == "cuda")
    return "-".join([*parts, *["quick"] * options.quick])


def check_device(device):
    """Exit with a message if there is no such device."""
    if device == "cuda" and not torch.cuda.is_available():
        raise SystemExit(
            "--device cuda: needs a GPU that torch can use. Got none instead. Install torch for "
            "CUDA, or take --device cpu."
        )
