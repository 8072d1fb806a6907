"""One run of training by a plan: its net, its batches, its early stopping."""

from skvae.training.batches import Batches
from skvae.training.net import Validation, make_net
from skvae.training.optimizers import load_optimizer_state
from skvae.training.stopping import Patience

__all__ = ["TrainingRun"]


class TrainingRun:
    """The training of the network of a plan on some rows.

    Parameters
    ----------
    plan : Plan
        The plan.
    rows : Rows
        The training and validation rows.
    start : Start
        The state from which training starts.
    checkpoint : Checkpoint, default=None
        The file from which training continues, and to which it is saved.

    Attributes
    ----------
    net : AutoencoderNet
        The net, which :meth:`train` trains.
    batches : Batches
        Batches of the training rows.
    """

    def __init__(self, plan, rows, start, checkpoint=None):
        self.plan = plan
        self.start = start
        self.checkpoint = checkpoint
        device = plan.device
        self.batches = Batches(rows.X, rows.training, plan.batch_size, device)
        self.net = make_net(plan)
        if start.optimizer is not None:
            load_optimizer_state(self.net, start.optimizer)
        self.validation = self.patience = None
        if plan.stopping is not None:
            self.validation = self._validation(rows)
            self.patience = self._patience()

    def _validation(self, rows):
        """Return the validation rows with their noise and their objective."""
        plan = self.plan
        batches = Batches(rows.X_val, rows.validation, plan.batch_size, device=plan.device)
        noise = plan.network.noise(batches.n_samples, self.start.generator)
        noise = noise if noise is None else noise.to(plan.device)
        return Validation(batches, noise, plan.stopping.objective)

    def _patience(self):
        """Return the early stopping, which also counts the loss at the end of an earlier fit."""
        plan, n_before = self.plan, self.start.n_epochs
        n_scheduled = plan.objective.scheduled_epochs
        patience = Patience(
            plan.stopping.n_epochs,
            plan.stopping.tolerance,
            ignored=max(0, n_scheduled - n_before),
        )
        if n_before > n_scheduled:
            patience.exhausted(self.net.validation_loss(self.validation), plan.network)
        return patience

    @property
    def n_samples_seen(self):
        """Number of rows seen before the run, plus those of the run."""
        return self.start.n_samples_seen + self.batches.n_samples

    def train(self, task=None):
        """Train, and return the net.

        Parameters
        ----------
        task : FitTask, default=None
            Notifies scikit-learn's callbacks of every epoch, and may ask to stop.
        """
        return self.net.fit_batches(
            self.batches,
            self.validation,
            epochs=self.plan.n_epochs,
            generator=self.start.generator,
            first_epoch=self.start.n_epochs,
            unit=self.plan.unit,
            patience=self.patience,
            precision=self.plan.precision,
            progress=self.plan.progress,
            task=task,
            checkpoint=self.checkpoint,
        )

    def weights(self):
        """Return the state dict of the network as if training ended now."""
        module = self.net.module_
        return module.state_dict() if self.patience is None else self.patience.kept(module)
