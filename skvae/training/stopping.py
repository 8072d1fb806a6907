"""Early stopping: the end of training, and the weights to keep."""

import math

__all__ = ["Patience"]


class Patience:
    """Stop training when the validation loss no longer improves, and keep the best weights.

    Parameters
    ----------
    n_epochs : int
        Number of epochs without improvement after which training stops.
    tol : float
        The smallest decrease that counts as an improvement.
    ignored : int, default=0
        Number of first epochs, during a schedule, whose losses and weights are ignored.
    """

    def __init__(self, n_epochs, tol, ignored=0):
        self.n_epochs = n_epochs
        self.tol = tol
        self.ignored = ignored
        self.waited = 0
        self.threshold = math.inf
        self.best = math.inf
        self.weights = None

    def exhausted(self, loss, module):
        """Record the loss after an epoch; return whether to stop."""
        if self.ignored > 0:
            self.ignored -= 1
            return False
        if self.weights is None:
            self.weights = {name: value.clone() for name, value in module.state_dict().items()}
        if loss < self.best:
            self.best = loss
            for name, value in module.state_dict().items():
                self.weights[name].copy_(value)
        if loss < self.threshold:
            self.threshold = loss - self.tol
            self.waited = 0
        else:
            self.waited += 1
        return self.waited >= self.n_epochs

    def kept(self, module):
        """Return the weights of the best epoch, or those of the module if all were ignored."""
        return module.state_dict() if self.weights is None else self.weights

    def restore(self, module):
        """Set the module to the weights of the best epoch, unless all epochs were ignored."""
        if self.weights is not None:
            module.load_state_dict(self.weights)
