"""Fits of a few epochs, and callbacks that hear of epochs or of batches."""

from skorch.callbacks import Callback

SETTINGS = {"n_components": 2, "max_epochs": 3, "batch_size": 64, "random_state": 0}


class Listener(Callback):
    def on_batch_end(self, net, **kwargs):
        """Hear of every batch."""


class OfEpochs(Callback):
    def on_epoch_end(self, net, **kwargs):
        """Hear of every epoch."""
