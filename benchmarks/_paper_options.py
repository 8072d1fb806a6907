"""The options of the paper's experiment: their defaults, what they may be, the name they give."""

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

EPOCHS, BETA, TC_BETA, LATENT = 30, 5.0, 20.0, 32  # the paper's
NOISE_VARIANCE = 0.5  # so that minus log p(x|z) is the squared error of its formula
AS_CODED = math.log1p(math.exp(0.01)) ** 2  # its program asks for 0.01, through a softplus
# The paper's learning rate is that of its network. Others begin at the default of the estimators,
# for which they were made; at a tenth of it 30 epochs of some 10,000 images are not enough.
PAPER_LR, LR = 1e-4, 1e-3
# Of --quick and without: most training and held-out images, further betas.
SCALES = {
    False: (None, 2_000, [2.0, 20.0], [5.0, 100.0]),
    True: (2_000, 1_000, [20.0], [100.0]),
}
QUICK_STEPS = 48
# The words that options have in the name of the results. Others only add fits, or repeat them.
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
    """Return the type of an option that is a whole number from ``least`` on."""
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
    """Return a positive number from text, the type of an option."""
    return _number(text, "positive", lambda value: value > 0)


def non_negative(text):
    """Return a number that is not negative from text, the type of an option."""
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
    """Return a path that may become a folder from text, the type of an option."""
    path = Path(text)
    if any(part.exists() and not part.is_dir() for part in (path, *path.parents)):
        raise ArgumentTypeError(f"needs a folder. Got {text} instead, which is or is in a file.")
    return path


def parse(docstring, arguments=None):
    """Return the options, the defaults of --quick and of the network in place."""
    parser = ArgumentParser(description=docstring.strip(), formatter_class=Plain)
    add = parser.add_argument
    add("--data", required=True, help="celeba:ROOT, or npz:PATH with a key X, uint8 images")
    add("--architecture", choices=[*ARCHITECTURES], default="paper", help="(default: paper)")
    add("--models", choices=["all", "four"], default="all", help="four: those of the figures alone")
    add("--learned", action=BooleanOptionalAction, help="a VAE of learned variance (default: all)")
    add("--rare", action=BooleanOptionalAction, help="fits where features are rare (default: all)")
    add("--device", choices=["cpu", "cuda"], default="cpu", help="(default: cpu)")
    add("--precision", choices=PRECISIONS, default="float32", help="(default: float32)")
    seed = whole(0, MOST_SEED)
    add("--seeds", type=seed, nargs="+", default=[0], help="each model for each (default: 0)")
    add("--quick", action="store_true", help="fewer rows, steps and betas")
    epochs = f"(default: {EPOCHS}; --quick: {QUICK_STEPS} steps)"
    add("--epochs", type=whole(1), help=epochs)
    beta = {"type": non_negative, "nargs": "+"}
    add("--betas", **beta, help="of the beta-VAE; the first is that of the table")
    add("--tc-betas", **beta, help="of the beta-TCVAE, likewise")
    variance = parser.add_mutually_exclusive_group().add_argument
    variance("--noise-variance", type=positive, help=f"(default: {NOISE_VARIANCE})")
    coded = f"that of the paper's program, {AS_CODED:.3f}"
    variance("--as-coded", action="store_true", help=coded)
    add("--latent", type=whole(1), default=LATENT, help="n_components (default: %(default)s)")
    add("--lr", type=positive, help="(default: 1e-4 for the paper's network; otherwise 1e-3)")
    rows = "training images (default: all; --quick: 2,000)"
    add("--rows", type=whole(BATCH_SIZE), help=rows)
    n_jobs = "fits at a time, a thread each (default: 2; on a GPU 1)"
    add("--n-jobs", type=whole(1), help=n_jobs)
    add("--out", type=folder, default=RESULTS, help="folder (default: benchmarks/results)")
    return completed(parser.parse_args(arguments))


def completed(options):
    """Return the options with defaults in the place of those that were not given.

    Of --quick ``epochs`` stays None where it is not given: it takes the images to know it.
    ``changed`` has what differs from the defaults and changes the fits of the tables, for a name.
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
    if options.rare is None:  # CelebA is too large for three copies; some of its features are rare
        all_of_them = options.models == "all" and not options.quick
        options.rare = all_of_them and options.data.startswith("npz:")
    return options


def _text(value):
    """Return a number, or numbers, as a part of a name."""
    return "_".join(f"{number:g}" for number in (value if isinstance(value, list) else [value]))


def file_name(options, data):
    """Return the name of the results: another for whatever makes other fits of the tables."""
    parts = ["paper", data, options.architecture, *options.changed]
    parts += [options.precision] * (options.precision != "float32")
    parts += ["as-coded"] * options.as_coded + ["cuda"] * (options.device == "cuda")
    return "-".join([*parts, *["quick"] * options.quick])


def check_device(device):
    """End with a sentence where there is no such device."""
    if device == "cuda" and not torch.cuda.is_available():
        raise SystemExit(
            "--device cuda: needs a GPU that torch can use. Got none instead. Install torch for "
            "CUDA, or take --device cpu."
        )
