"""What docstrings say of the parameters and attributes that estimators share, written once."""

__all__ = [
    "AUTOENCODER_WORDS",
    "LIKELIHOOD_PARAMETERS",
    "SHARED_ATTRIBUTES",
    "SHARED_PARAMETERS",
    "VAE_ATTRIBUTES",
    "VAE_WORDS",
]

SHARED_PARAMETERS = """n_components : int, default=10
        Number of latent dimensions.
    hidden_layer_sizes : sequence of int, default=(128, 64)
        Widths of the encoder's hidden layers; the decoder mirrors them. Encoder and decoder
        are each a perceptron plus a linear map.
        {network_start}
    activation : str or callable, default="silu"
        Between the layers of a perceptron: "relu", "leaky_relu", "elu", "gelu", "silu", "tanh",
        "logistic", or a callable that returns an ``nn.Module``.
    image_shape : (height, width, channels), default=None
        What a row is where it is an image, flat in C order: then encoder and decoder are
        convolutional, and ``hidden_layer_sizes`` and ``activation`` are not used. Heights and
        widths from 8 to 256.
    architecture : {{"residual", "hybrid", "paper"}}, default="residual"
        The convolutional network: "residual" for fits of some minutes and more, "hybrid" for
        shorter ones, "paper" for M. Schik's. See :class:`skvae.nn.ConvolutionalEncoder`.
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
        The torch device of training and inference, such as "cuda": a GPU that holds the rows
        where they fit. It is written for CUDA, and has not been run on a GPU.
    precision : {{"float32", "bfloat16"}}, default="float32"
        Of the matrix products and convolutions of training. "bfloat16" rounds their factors, by
        up to 0.2 %: to three significant digits or nearly; the fit differs by that. Weights,
        optimizer and objective stay float32, and so does all after training. It is for image
        networks and wide layers, on GPUs and on CPUs with instructions for it (AVX512_BF16,
        AMX). Other CPUs are slower with it, and small tables gain nothing.
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
        1 shows a progress bar with as many terms of the objective as its line holds.
    random_state : int, RandomState instance or None, default=None
        Seeds the weights, the shuffling and the latent noise. An int reproduces a fit bit by
        bit on one machine at an equal number of torch threads, and leaves the
        global generators alone."""

LIKELIHOOD_PARAMETERS = """likelihood : str or list of (kind, columns), default="gaussian"
        Density p(x|z), one of {likelihoods}.
        "bernoulli" needs X in [0, 1]; on values strictly in between it is minus a
        cross-entropy, which compares on the same rows only. "continuous-bernoulli" is a
        density on [0, 1]. "poisson" and "negative-binomial" are of counts, the latter's variance
        mu + a mu^2, with a dispersion a for every column that the residual sets.

        Pairs give each column its kind: names, indices, slices, masks, or callables such as
        ``make_column_selector``, every column in exactly one pair. A pair of several columns with
        the kind "categorical" is one variable, a one-hot block; a single column of integers is one
        with the levels that training saw, reconstructed as the most probable of them. A level
        that training did not see is no error in new rows: its probability is at most
        1 / (n_samples + 1), and at most that of any level.
    noise_variance : {{"learned", "per-feature", "pca"}} or float, default="{noise_variance}"
        Variance of a Gaussian p(x|z). "learned": one for all columns, r + 500 / (500 + n) *
        max(0, v - r), with r the mean squared residual of the n training rows and v the noise
        variance of a PCA: of few rows, a network's residual falls short of that of new rows.
        "per-feature": one for each column. "pca": held at the noise variance of a PCA with
        min(n_components, n_features // 2, (n_samples - 1) // 2) components; a fit warns where
        the residual is more than 4 times larger or smaller. A float is held, in squared units
        of ``input_scale * X``. PCAs are of at most 10,000 rows (of more than 838 columns
        fewer, but 1,000). All but a float stay above 1e-6 of the training variance (of a
        constant column, above 1e-12).
    missing : str, default=None
        What NaN in X is. None refuses it; "mask" takes it for what was not observed: p(x|z) is of
        what was, and the encoder gets the mean of the column, and where it had to (``encoder=`` a
        row of means for NaN and beside it ones where it was observed, 2 * n_features columns).
        Scores, errors and noise variances leave it out, and there is ``impute``. Without NaN, the
        fit is the same to the last bit. A column of which training observes nothing is left out
        of new rows too.
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
        Variance of p(x|z) in squared units of X. Gaussian columns only.
    dispersion_ : ndarray of shape (n_columns,)
        Dispersions of the columns that are "negative-binomial", where there are such."""

AUTOENCODER_WORDS = {
    "network_start": "The linear maps begin at zero, and the last layers small. With the empty\n"
    "        tuple the linear maps are the whole network, and begin as PCA.",
    "encoder_outputs": "``n_components`` columns",
    "decoder_outputs": "rows of X",
    "tol_unit": "squared error per feature",
    "terms": '"reconstruction"',
    "units": "In squared units of X.",
}
VAE_WORDS = {
    "network_start": "Under a Gaussian likelihood the linear maps begin as probabilistic PCA, and\n"
    "        the last layers small: codes are open from the start, and only what a linear model\n"
    "        misses is left to learn. With the empty tuple the linear maps are the whole network.\n"
    "        Under other likelihoods there are perceptrons alone, of random weights.",
    "encoder_outputs": "``2 * n_components``\n        columns, the posterior's means and then its"
    " log standard deviations",
    "decoder_outputs": "the mean of p(x|z), or its\n        logits under either Bernoulli and of "
    "categories, its logarithm of counts",
    "tol_unit": "nats per feature",
    "terms": '"reconstruction", "kl"',
    "units": "In nats. A\n        schedule changes the sum and not these; what it puts in the "
    'place of "kl" is there as\n        well, as "free_bits_kl" or "kl_off_capacity".',
}
