"""One fit on several processes: data-parallel training with skorch's AccelerateMixin.

    torchrun --standalone --nproc_per_node 2 accelerate_fit.py --batch-size 128 --output vae.joblib

An estimator makes the network, its scales and its objective from some of the rows. Every process
trains a copy of the network on its share of each batch. The estimator then takes over the trained
weights. This script needs skvae[distributed].
"""

from argparse import ArgumentParser
from copy import deepcopy
from functools import partial

import joblib
import numpy as np
import torch
from accelerate import Accelerator
from sklearn.datasets import load_digits
from skorch import NeuralNet
from skorch.hf import AccelerateMixin

from skvae import VAETransformer


class Loss:
    """The loss of an objective. It is no module, since it has no weights to share."""

    def __init__(self, objective):
        self.objective = objective

    def __call__(self, output, x):
        return self.objective.total(self.objective.means(output, x))


class DataParallelNet(AccelerateMixin, NeuralNet):
    """A skorch net for a network and an objective of skvae."""

    def on_epoch_begin(self, net, **kwargs):
        super().on_epoch_begin(net, **kwargs)
        self.criterion_.objective.epoch = len(self.history) - 1  # for its schedules

    def infer(self, x, **fit_params):
        # Each process draws the noise of the whole batch and takes that of its own rows, so that
        # the result does not depend on the number of processes.
        n_processes, own = self.accelerator.num_processes, self.accelerator.process_index
        network = self.accelerator.unwrap_model(self.module_)
        noise = network.noise(len(x) * n_processes, self.noise_generator)
        if noise is not None:
            noise = noise.chunk(n_processes)[own].to(x.device)
        return self.module_(x, noise)

    def get_loss(self, y_pred, y_true, X, training=False):
        return self.criterion_(y_pred, X)

    def train_step(self, batch, **fit_params):
        step = super().train_step(batch, **fit_params)
        step["loss"] = self.accelerator.reduce(step["loss"].detach(), "mean")
        return step


def fit_data_parallel(estimator, X, *, batch_size, epochs, lr=1e-3, seed=0):
    """Train the network of a fitted estimator further, on all processes. Return a loss per epoch.

    ``batch_size`` is that of one process. Rows that do not fill the last batch are left out.
    """
    net = DataParallelNet(
        deepcopy(estimator.net_.module_),
        partial(Loss, deepcopy(estimator.net_.criterion_)),
        accelerator=Accelerator(cpu=not torch.cuda.is_available()),
        optimizer=torch.optim.Adam,
        lr=lr,
        batch_size=batch_size,
        max_epochs=epochs,
        train_split=None,
        iterator_train__shuffle=True,
        iterator_train__drop_last=True,
        iterator_train__generator=torch.Generator().manual_seed(seed),
    )
    net.noise_generator = torch.Generator().manual_seed(seed)
    net.fit(X)
    estimator.load_weights(net.module_.state_dict(), X)
    return net.history[:, "train_loss"]


def main():
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch-size", type=int, default=128, help="rows of one process")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--output", default="vae.joblib", help="file of the fitted estimator")
    arguments = parser.parse_args()
    X = load_digits().data.astype(np.float32) / 16  # or np.load("rows.npy", mmap_mode="r")
    estimator = VAETransformer(10, random_state=0).partial_fit(X[:500])
    fit_data_parallel(estimator, X, batch_size=arguments.batch_size, epochs=arguments.epochs)
    accelerator = Accelerator(cpu=not torch.cuda.is_available())
    if accelerator.is_main_process:
        joblib.dump(estimator, arguments.output)
    accelerator.end_training()


if __name__ == "__main__":
    main()
