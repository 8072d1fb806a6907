"""How an estimator declares its hyper-parameters: once, as annotated fields of the class.

Documentation and validation go with them, by scikit-learn's private names.
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, fields
from numbers import Integral, Real
from typing import TypeVar, dataclass_transform

import torch
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
    validate_parameter_constraints,
)

from skvae._typing import Integers, Seed
from skvae.base.documentation import DocumentationLinks
from skvae.base.sklearn_bases import BaseEstimator
from skvae.nn.convolutions import ARCHITECTURES
from skvae.nn.likelihoods import LIKELIHOODS
from skvae.nn.perceptrons import ACTIVATIONS
from skvae.training.callbacks import check_copies
from skvae.training.optimizers import OPTIMIZERS

__all__ = [
    "SharedParameters",
    "check_argument",
    "check_integer",
    "hyperparameters",
    "is_positive_integer",
]


class Numbers(Interval):
    """An interval of numbers, without True, which to Python is 1."""

    def is_satisfied_by(self, value):
        return not isinstance(value, bool) and super().is_satisfied_by(value)


NON_NEGATIVE = [Numbers(Real, 0, None, closed="left")]
POSITIVE = [Numbers(Real, 0, None, closed="neither")]
NON_NEGATIVE_INTEGER = [Numbers(Integral, 0, None, closed="left")]
POSITIVE_INTEGER = [Numbers(Integral, 1, None, closed="left")]
TWO_OR_MORE = [Numbers(Integral, 2, None, closed="left")]
PROPER_FRACTION = [Numbers(Real, 0, 1, closed="neither")]
AT_MOST_HALF = [Numbers(Real, 0, 0.5, closed="right")]
TRANSFORMER = [HasMethods(["fit", "transform", "inverse_transform"])]

Class = TypeVar("Class")


def one_of(*options):
    """Return the constraint of a parameter that is one of some strings."""
    return [StrOptions(set(options))]


def check_argument(name, value, constraint, function):
    """Raise scikit-learn's sentence if an argument of a function breaks its constraint."""
    validate_parameter_constraints({name: constraint}, {name: value}, function)


def check_integer(name, value, function, least=1):
    """Raise scikit-learn's sentence if an argument is no integer of at least ``least``."""
    check_argument(name, value, [Numbers(Integral, least, None, closed="left")], function)


def is_positive_integer(value):
    """Return whether a value is an integer of at least 1."""
    return POSITIVE_INTEGER[0].is_satisfied_by(value)


SHARED_PARAMETERS = """n_components : int, default=10
        Number of latent dimensions.
    hidden_layer_sizes : sequence of int, default=(128, 64)
        Widths of the encoder's hidden layers; the decoder mirrors them. The empty
        tuple makes a linear model.
    activation : str or callable, default="relu"
        Between the layers: "relu", "leaky_relu", "elu", "gelu", "silu", "tanh",
        "logistic", or a callable that returns an ``nn.Module``.
    image_shape : (height, width, channels), default=None
        What a row is where it is an image, flat in C order: then encoder and decoder are
        convolutional, and ``hidden_layer_sizes`` and ``activation`` are not used. Heights and
        widths from 8 to 256.
    architecture : {{"hybrid", "paper"}}, default="hybrid"
        The convolutional network: see :class:`skvae.nn.ConvolutionalEncoder`.
    encoder : callable, default=None
        ``encoder(n_inputs, n_outputs)`` returns the ``nn.Module`` to use in place of the
        perceptron. It maps rows of X, as they are, to {encoder_outputs}.
        It is called with torch's CPU generator seeded from ``random_state`` and
        restored afterwards; random layers inside it (Dropout) draw from the global
        generator, outside the guarantee that an int reproduces a fit. To pickle the
        estimator, pass a function or class that can be imported.
    decoder : callable, default=None
        ``decoder(n_inputs, n_outputs)`` likewise: codes to {decoder_outputs}.
    input_scale : float, default=1.0
        Factor of X before anything else, applied batch by batch: 1 / 255 for one-byte pixels.
        All that comes back is in the units of X; noise_variance as a number and tol are those
        of the scaled data. Our own networks centre and scale by the training data in any case,
        so it matters to likelihoods on [0, 1] and to modules of your own.
    max_epochs : int, default=100
        Number of passes over the training rows.
    batch_size : int, default=256
        Rows in a mini-batch. A short last batch counts by its rows, and a single left-over
        row joins the batch before it.
    lr : float, default=0.001
        Learning rate.
    optimizer : {{"adam", "adamw", "sgd"}} or callable, default="adam"
        A callable gets the parameters and ``lr``, as
        ``functools.partial(torch.optim.SGD, momentum=0.9)`` does; its ``step`` takes no
        closure.
    weight_decay : float, default=0.0
        Passed to the optimizer unless it is zero.
    callbacks : list, default=None
        Of skorch's callbacks, which ``fit`` copies, and of callables that return one, which
        ``fit`` calls, for those that cannot be copied: a logger's. Either may be in a pair
        (name, callback). Those of a fit are in ``net_.callbacks_``. Those of scikit-learn go
        to ``set_callbacks``.
    device : str, default="cpu"
        The torch device of training and inference, such as "cuda".
    compile : bool, default=False
        Whether training runs the network through ``torch.compile``: a minute or so at the
        start of every call, for faster steps after it: for one long ``fit``.
    early_stopping : bool, default=False
        Whether to stop when the objective on validation rows no longer improves, and
        go back to the weights of the best epoch.
    validation_fraction : float, default=0.1
        Share of the rows, shuffled, held out for early stopping where ``fit`` gets no
        ``X_val``.
    n_iter_no_change : int, default=10
        Epochs without improvement that early stopping waits for.
    tol : float, default=0.0001
        The least decrease of the validation objective that counts as an
        improvement, in {tol_unit}.
    warm_start : bool, default=False
        Whether ``fit`` continues from the fitted network, its optimizer and its stream of
        random numbers, for ``max_epochs`` further epochs. The scales taken from the
        first data stay, callbacks begin anew, another optimizer starts without state.
    verbose : int, default=0
        1 shows a progress bar with the terms of the objective.
    random_state : int, RandomState instance or None, default=None
        Seeds the weights, the shuffling and the latent noise. An int reproduces a fit bit by
        bit on one machine at an equal number of torch threads, and leaves the
        global generators alone."""

LIKELIHOOD_PARAMETERS = """likelihood : {{{likelihoods}}}, default="gaussian"
        p(x|z). "bernoulli" needs X in [0, 1]; on values strictly in between it is minus a
        cross-entropy, which compares on the same rows only. "continuous-bernoulli" is a
        density on [0, 1].
    noise_variance : {{"learned", "per-feature", "pca"}} or float, default="{noise_variance}"
        Variance of a Gaussian p(x|z). "learned": one for all columns, the mean squared
        residual of the training rows. "per-feature": one for each. "pca": held at the noise
        variance of a PCA with min(n_components, n_features // 2, (n_samples - 1) // 2)
        components, on at most 10,000 rows (of more than 1677 columns fewer, but 1,000).
        A float is held, in squared units of ``input_scale * X``. All but a float stay above
        1e-6 of the training variance (of a constant column, above 1e-12).
    kl_warmup_epochs : int, default=0
        Epochs over which the weights of all penalties go from ``kl_warmup_start`` times what they
        are to what they are. Early stopping waits until then, and watches the objective at those.
    kl_warmup_start : float, default=0.0
        The factor of the weights at the start. From 0 they rise by equal steps, and all
        codes open at once. From a factor above 1 they fall by equal ratios: from one so large
        that no code is open at first ("kl" near 0 in ``history_``), codes open one after
        another, each with what explains most of the rest.
    kl_cycles : int, default=1
        How often this is repeated; the weights stay what they are for as long between two.
    free_bits : float, default=0.0
        Nats of divergence that a dimension has for nothing: the divergence becomes
        the sum over the dimensions of max(free_bits, mean over the batch)."""

SHARED_ATTRIBUTES = """net_ : skorch.NeuralNet
        The fitted net: ``net_.module_``, ``net_.history``, ``net_.callbacks_``. Its ``forward``
        and ``predict`` give the reconstruction.
    history_ : dict of ndarray of shape (`n_iter_`,)
        Every term of the objective per epoch: "train_loss", {terms},
        and with early stopping the same with the prefix ``valid_``. {units}
    n_iter_ : int
        Epochs trained.
    n_samples_seen_ : int
        Training rows of the last ``fit``, and those of every ``partial_fit`` since.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of str
        Names of the columns, where X has them."""

VAE_ATTRIBUTES = """noise_variance_ : float or ndarray of shape (`n_features_in_`,)
        Variance of p(x|z) in squared units of X. Gaussian likelihood only."""

AUTOENCODER_WORDS = {
    "encoder_outputs": "``n_components`` columns",
    "decoder_outputs": "rows of X",
    "tol_unit": "squared error per feature",
    "terms": '"reconstruction"',
    "units": "In squared units of X.",
}
VAE_WORDS = {
    "encoder_outputs": "``2 * n_components``\n        columns, the posterior's means and then its"
    " log standard deviations",
    "decoder_outputs": "the mean of p(x|z), or its\n        logits under either Bernoulli",
    "tol_unit": "nats per feature",
    "terms": '"reconstruction", "kl"',
    "units": "In nats. A\n        schedule changes the sum and not these; what it puts in the "
    'place of "kl" is there as\n        well, as "free_bits_kl" or "kl_off_capacity".',
}


@dataclass_transform(eq_default=False)
def hyperparameters(cls: type[Class]) -> type[Class]:
    """Make the annotated fields of a class its constructor's parameters.

    The standard library's ``dataclass`` writes the explicit ``__init__`` that scikit-learn
    asks of an estimator: it stores every argument under its own name and does nothing else.
    ``%(parameters)s`` and ``%(attributes)s`` in the docstring become the shared text.

    Parameters
    ----------
    cls : type
        A class with annotated fields.

    Returns
    -------
    type
        The same class.
    """
    if cls.__doc__ and "%(parameters)s" in cls.__doc__:
        parameters, attributes, words = SHARED_PARAMETERS, SHARED_ATTRIBUTES, AUTOENCODER_WORDS
        noise_variance = getattr(cls, "noise_variance", None)
        if noise_variance is not None:
            parameters = f"{parameters}\n    {LIKELIHOOD_PARAMETERS}"
            attributes = f"{VAE_ATTRIBUTES}\n    {attributes}"
            likelihoods = ", ".join(f'"{name}"' for name in LIKELIHOODS)
            words = {
                **VAE_WORDS,
                "noise_variance": noise_variance,
                "likelihoods": likelihoods,
            }
        cls.__doc__ = cls.__doc__.replace("%(parameters)s", parameters.format(**words))
        cls.__doc__ = cls.__doc__.replace("%(attributes)s", attributes.format(**words))
    return dataclass(cls, eq=False, repr=False)


@hyperparameters
class SharedParameters(DocumentationLinks, BaseEstimator):
    """The parameters that all autoencoders have."""

    n_components: int = 10
    _: KW_ONLY
    hidden_layer_sizes: Integers = (128, 64)
    activation: str | Callable[[], torch.nn.Module] = "relu"
    image_shape: Integers | None = None
    architecture: str = "hybrid"
    encoder: Callable[[int, int], torch.nn.Module] | None = None
    decoder: Callable[[int, int], torch.nn.Module] | None = None
    input_scale: float = 1.0
    max_epochs: int = 100
    batch_size: int = 256
    lr: float = 1e-3
    optimizer: str | Callable[..., torch.optim.Optimizer] = "adam"
    weight_decay: float = 0.0
    callbacks: list | tuple | None = None
    device: str | torch.device = "cpu"
    compile: bool = False
    early_stopping: bool = False
    validation_fraction: float = 0.1
    n_iter_no_change: int = 10
    tol: float = 1e-4
    warm_start: bool = False
    verbose: int = 0
    random_state: Seed = None

    _parameter_constraints = {
        "n_components": POSITIVE_INTEGER,
        "hidden_layer_sizes": ["array-like"],
        "activation": [*one_of(*ACTIVATIONS), callable],
        "image_shape": ["array-like", None],
        "architecture": one_of(*ARCHITECTURES),
        "encoder": [callable, None],
        "decoder": [callable, None],
        "input_scale": POSITIVE,
        "max_epochs": POSITIVE_INTEGER,
        "batch_size": POSITIVE_INTEGER,
        "lr": POSITIVE,
        "optimizer": [*one_of(*OPTIMIZERS), callable],
        "weight_decay": NON_NEGATIVE,
        "callbacks": [list, tuple, None],
        "device": [str, torch.device],
        "compile": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": PROPER_FRACTION,
        "n_iter_no_change": POSITIVE_INTEGER,
        "tol": NON_NEGATIVE,
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def _validate_params(self):
        unset = [field.name for field in fields(self) if field.name not in vars(self)]
        if unset:
            raise TypeError(
                f"The constructor of {type(self).__name__} must set every parameter of the classes "
                f"above it. Got one that leaves out {len(unset)}, {unset[0]} first, instead. Call "
                f"super().__init__ in it."
            )
        super()._validate_params()

    def __sklearn_clone__(self):
        if isinstance(self.callbacks, list | tuple):
            check_copies(self.callbacks)  # scikit-learn's own error would not say what to do
        return super().__sklearn_clone__()
