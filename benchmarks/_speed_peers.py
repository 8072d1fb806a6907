"""Fits of other autoencoders: plain skorch, scikit-learn, PyOD and pythae."""

import logging
import warnings
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from itertools import pairwise
from tempfile import TemporaryDirectory

import torch
from _plain_networks import LEARNING_RATE, N_COMPONENTS, NegativeELBO, PlainVAE
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from skorch import NeuralNet
from torch import nn

__all__ = ["fit_pyod", "fit_pythae", "fit_sklearn", "fit_skorch"]


def fit_skorch(X, *, hidden, batch_size, epochs):
    """Train the plain VAE by skorch, with its default iterator and callbacks, on all rows."""
    NeuralNet(
        PlainVAE(X.shape[1], hidden),
        NegativeELBO(),
        optimizer=torch.optim.Adam,
        lr=LEARNING_RATE,
        batch_size=batch_size,
        max_epochs=epochs,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    ).fit(X, X)


def fit_sklearn(X, *, hidden, batch_size, epochs):
    """Fit scikit-learn's perceptron with the same layers and ReLU to predict X from X."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is given
        MLPRegressor(
            hidden_layer_sizes=(*hidden, N_COMPONENTS, *hidden[::-1]),
            batch_size=batch_size,
            max_iter=epochs,
            tol=0,
            n_iter_no_change=epochs + 1,
            alpha=0.0,
            random_state=0,
        ).fit(X, X)


def fit_pyod(X, *, hidden, batch_size, epochs):
    """Fit PyOD's VAE, an optional dependency of this benchmark, with the same layers."""
    from pyod.models.vae import VAE

    VAE(
        encoder_neuron_list=list(hidden),
        decoder_neuron_list=list(hidden[::-1]),
        latent_dim=N_COMPONENTS,
        batch_size=batch_size,
        epoch_num=epochs,
        lr=LEARNING_RATE,
        dropout_rate=0.0,
        verbose=0,
        random_state=0,
    ).fit(X)


def fit_pythae(X, *, hidden, batch_size, epochs):
    """Fit pythae's VAE, an optional dependency of this benchmark, with the same layers."""
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.pipelines import TrainingPipeline
    from pythae.trainers import BaseTrainerConfig

    class Encoder(BaseEncoder):
        def __init__(self):
            super().__init__()
            self.layers = perceptron(X.shape[1], *hidden, 2 * N_COMPONENTS)

        def forward(self, x):
            mean, log_variance = self.layers(x).chunk(2, dim=-1)
            return ModelOutput(embedding=mean, log_covariance=log_variance)

    class Decoder(BaseDecoder):
        def __init__(self):
            super().__init__()
            self.layers = perceptron(N_COMPONENTS, *hidden[::-1], X.shape[1])

        def forward(self, z):
            return ModelOutput(reconstruction=self.layers(z))

    logging.disable(logging.INFO)  # each of its loggers sets its own level
    config = VAEConfig(input_dim=(X.shape[1],), latent_dim=N_COMPONENTS)
    with TemporaryDirectory() as folder, redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        training = BaseTrainerConfig(
            output_dir=folder,
            num_epochs=epochs,
            learning_rate=LEARNING_RATE,
            per_device_train_batch_size=batch_size,
        )
        model = VAE(config, encoder=Encoder(), decoder=Decoder())
        TrainingPipeline(model=model, training_config=training)(train_data=X)
    logging.disable(logging.NOTSET)


def perceptron(*sizes):
    """Return linear layers of some sizes, with ReLU between them."""
    layers = []
    for n_inputs, n_outputs in pairwise(sizes):
        layers += [nn.Linear(n_inputs, n_outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
