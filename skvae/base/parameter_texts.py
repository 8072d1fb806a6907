"""The docstring texts of the parameters and attributes that all estimators share."""

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
        Widths of the encoder's hidden layers. The decoder has the same widths in reverse order.
        The encoder and the decoder are each the sum of a perceptron and a linear map.
        {network_start}
    activation : str or callable, default="silu"
        The activation function between the layers of a perceptron: "relu", "leaky_relu", "elu",
        "gelu", "silu", "tanh", "logistic", or a callable that returns an ``nn.Module``.
    image_shape : (height, width, channels), default=None
        Shape of the image in each row, which is flattened in C order. If it is given, the encoder
        and the decoder are convolutional, and ``hidden_layer_sizes`` and ``activation`` are not
        used. The height and the width must be from 8 to 256.
    architecture : {{"residual", "hybrid", "paper"}}, default="residual"
        The convolutional network. Use "residual" for fits of some minutes or longer. "hybrid" is
        faster, for shorter fits. "paper" is the network of M. Schik. See
        :class:`skvae.nn.ConvolutionalEncoder`.
    encoder : callable, default=None
        ``encoder(n_inputs, n_outputs)`` returns the ``nn.Module`` to use in place of the
        perceptron. The module maps rows of ``input_scale * X`` to {encoder_outputs}.
        During the call, torch's CPU generator is seeded from ``random_state``; it is restored
        afterwards. Random layers inside the module, such as Dropout, draw from the global
        generator, so an int ``random_state`` does not make them reproducible. To pickle the
        estimator, pass a function or a class that can be imported.
    decoder : callable, default=None
        ``decoder(n_inputs, n_outputs)`` returns the module to use as the decoder, in the same
        way. The module maps codes to {decoder_outputs}.
    input_scale : float, default=1.0
        Factor by which X is multiplied before anything else, batch by batch. Use 1 / 255 for
        one-byte pixels. All results are in the units of X. Only a number given as
        ``noise_variance`` and ``tol`` are in the units of the scaled data. The built-in networks
        always centre and scale their inputs by the training data. So ``input_scale`` matters only
        for likelihoods on [0, 1] and for your own modules.
    max_epochs : int, default=100
        Number of passes over the training rows.
    batch_size : int, default=256
        Number of rows in a mini-batch. If the last batch is shorter, its weight is smaller in
        proportion. If only one row is left, it joins the batch before it.
    lr : float, default=0.001
        Learning rate.
    optimizer : {{"adam", "adamw", "sgd"}} or callable, default="adam"
        The optimizer. A callable is called with the parameters and ``lr``, for example
        ``functools.partial(torch.optim.SGD, momentum=0.9)``. Its ``step`` must work without a
        closure.
    weight_decay : float, default=0.0
        Weight decay, passed to the optimizer unless it is zero.
    callbacks : list, default=None
        List of skorch callbacks, which ``fit`` copies. For a callback that cannot be copied, such
        as a logger, pass a callable that returns it, which ``fit`` calls. Each entry may also be
        a pair (name, callback). The callbacks of a fit are in ``net_.callbacks_``. Pass
        scikit-learn's callbacks to ``set_callbacks`` instead.
    device : str, default="cpu"
        The torch device of training and inference, such as "cuda". A GPU keeps all rows in its
        memory if they fit. It is written for CUDA, and has not been run on a GPU.
    precision : {{"float32", "bfloat16"}}, default="float32"
        Precision of the matrix products and convolutions in training. "bfloat16" rounds their
        factors by up to 0.2 %, to nearly three significant digits, so the fit differs a little.
        Weights, optimizer and objective stay in float32, and so does everything after training.
        It is for image networks and wide layers, on GPUs and on CPUs with instructions for it
        (AVX512_BF16, AMX). Other CPUs are slower with it, and small tables gain nothing.
    early_stopping : bool, default=False
        Whether to stop when the objective on validation rows no longer improves, and
        go back to the weights of the best epoch.
    validation_fraction : float, default=0.1
        Share of the rows that is held out for early stopping, chosen at random. Not used if
        ``fit`` gets ``X_val``.
    n_iter_no_change : int, default=10
        Number of epochs without improvement after which early stopping ends training.
    tol : float, default=0.0001
        The smallest decrease of the validation objective that counts as an
        improvement, in {tol_unit}.
    warm_start : bool, default=False
        Whether ``fit`` continues from the fitted network, the state of its optimizer and its
        stream of random numbers, for ``max_epochs`` further epochs. The scales taken from the
        first data stay. Callbacks start again. If ``optimizer`` has changed, the new one starts
        without state.
    verbose : int, default=0
        1 shows a progress bar, with as many terms of the objective as fit into one line.
    random_state : int, RandomState instance or None, default=None
        Seeds the weights, the shuffling and the latent noise. With an int, a fit is reproduced
        bit by bit on the same machine with the same number of torch threads. The
        global generators are not changed."""

LIKELIHOOD_PARAMETERS = """likelihood : str or list of (kind, columns), default="gaussian"
        The density p(x|z), one of {likelihoods}.
        "bernoulli" needs X in [0, 1]. If X has values strictly between 0 and 1, its log-density is
        minus a cross-entropy, and is comparable only between models of the same rows.
        "continuous-bernoulli" is a density on [0, 1]. "poisson" and "negative-binomial" are for
        counts. The variance of "negative-binomial" is mu + a mu^2. Its dispersion a is estimated
        for each column from the residual.

        A list of pairs gives each column its kind. The columns of a pair are names, indices, a
        slice, a mask, or a callable such as ``make_column_selector``. Every column must be in
        exactly one pair. With the kind "categorical", a pair of several columns is one variable
        in one-hot coding. A pair of one column of integers is one variable whose levels are the
        values seen in training; it is reconstructed as the most probable level. A new row may
        have a level that was not seen in training. The probability of such a level is at most
        1 / (n_samples + 1), and at most that of any known level.
    noise_variance : {{"learned", "per-feature", "pca"}} or float, default="{noise_variance}"
        Variance of a Gaussian p(x|z). "learned": one variance for all columns,
        r + 500 / (500 + n) * max(0, v - r). Here r is the mean squared residual of the n training
        rows, and v is the noise variance of a PCA. The second term corrects for overfitting: with
        few training rows, their residual is smaller than that of new rows. "per-feature": one
        such variance for each column. "pca": the noise variance of a PCA with
        min(n_components, n_features // 2, (n_samples - 1) // 2) components, kept fixed; a fit
        warns if the residual is more than 4 times larger or smaller. A float is kept fixed too,
        in squared units of ``input_scale * X``. A PCA uses at most 10,000 rows; with more than
        838 columns it uses fewer, but at least 1,000. Unless it is a float, the variance stays
        above 1e-6 times the training variance (for a constant column, above 1e-12).
    missing : str, default=None
        What NaN in X means. None: NaN is an error. "mask": NaN marks a value that was not
        observed, and p(x|z) is the density of the observed values only. The encoder gets the mean
        of the column in place of NaN, and also gets the mask. A module of ``encoder=`` gets
        2 * n_features columns: the row with means in place of NaN, then ones for observed values
        and zeros for the others. Scores, errors and noise variances ignore NaN, and the method
        ``impute`` is available. If X has no NaN, the fit is the same to the last bit as with None.
        A column without any observed value in training is ignored in new rows too.
    kl_warmup_epochs : int, default=0
        Number of epochs of the warm-up. During it, the weights of all penalties change from
        ``kl_warmup_start`` times their final values to their final values. Early stopping starts
        after the warm-up, and always uses the objective with the final weights.
    kl_warmup_start : float, default=0.0
        Factor of the weights at the start of the warm-up. From 0, the weights rise by equal steps,
        and all codes become active at once. From a factor above 1, they fall by equal ratios. If
        the factor is so large that no code is active at first ("kl" is near 0 in ``history_``),
        the codes become active one after another. Each then explains most of what the earlier
        ones leave.
    kl_cycles : int, default=1
        Number of warm-ups. Between two of them, the weights stay at their final values for
        ``kl_warmup_epochs`` epochs.
    free_bits : float, default=0.0
        Nats of divergence that each dimension may have at no cost. The divergence in the objective
        becomes the sum over the dimensions of max(free_bits, mean divergence over the batch)."""

SHARED_ATTRIBUTES = """net_ : skorch.NeuralNet
        The fitted net: ``net_.module_``, ``net_.history``, ``net_.callbacks_``. Its ``forward``
        and ``predict`` give the reconstruction.
    history_ : dict of ndarray of shape (`n_iter_`,)
        Every term of the objective per epoch: "train_loss", {terms}.
        With early stopping, also the same terms on the validation rows, with the prefix
        ``valid_``. {units}
    n_iter_ : int
        Number of epochs trained.
    n_samples_seen_ : int
        Number of training rows of the last ``fit``, plus those of every ``partial_fit`` since.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of str
        Names of the columns, if X has names."""

VAE_ATTRIBUTES = """noise_variance_ : float or ndarray of shape (`n_features_in_`,)
        Variance of p(x|z) in squared units of X. Only for Gaussian columns.
    dispersion_ : ndarray of shape (n_columns,)
        Dispersions of the "negative-binomial" columns. Only if there are such columns."""

AUTOENCODER_WORDS = {
    "network_start": "At the start, the linear maps are zero, and the last layers have small\n"
    "        weights. With the empty tuple, the network is linear, and starts as PCA.",
    "encoder_outputs": "``n_components`` columns",
    "decoder_outputs": "rows of\n        ``input_scale * X``",
    "tol_unit": "squared error per feature",
    "terms": '"reconstruction"',
    "units": "In squared units of X.",
}
VAE_WORDS = {
    "network_start": "With a Gaussian likelihood, the linear maps start as probabilistic PCA, and\n"
    "        the last layers have small weights at the start. So the codes carry information from\n"
    "        the first step, and training only adds what a linear model misses. With the empty\n"
    "        tuple, the network is linear. With other likelihoods, the networks are perceptrons\n"
    "        alone, which start at random weights.",
    "encoder_outputs": "``2 * n_components``\n        columns: the means of the posterior, then its"
    " log standard deviations",
    "decoder_outputs": "the mean\n        of p(x|z) in the units of ``input_scale * X``, to its "
    "logits (both Bernoulli\n        likelihoods and categories), or to its logarithm (counts)",
    "tol_unit": "nats per feature",
    "terms": '"reconstruction", "kl"',
    "units": "In nats. The terms are recorded\n        without their weights, so a warm-up changes "
    'only "train_loss". With ``free_bits`` or a\n        capacity, the term that replaces "kl" in '
    'the sum is recorded too, as "free_bits_kl" or\n        "kl_off_capacity".',
}
