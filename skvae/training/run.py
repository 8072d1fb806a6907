"""One training by a plan: its net, its batches, what early stopping watches."""

from skvae.training.batches import Batches
from skvae.training.net import Validation, make_net
from skvae.training.optimizers import load_optimizer_state
from skvae.training.stopping import Patience

__all__ = ["TrainingRun"]


class TrainingRun:
    """The training of a plan's network on some rows.

    Parameters
    ----------
    plan : Plan
        What to do.
    rows : Rows
        What to do it with.
    start : Start
        Where to begin.
    checkpoint : Checkpoint, default=None
        The file to go on from, and to write.

    Attributes
    ----------
    net : AutoencoderNet
        Trained by :meth:`train`.
    batches : Batches
        Of the training rows.
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
        """Return what every epoch is judged on."""
        plan = self.plan
        batches = Batches(rows.X_val, rows.validation, plan.batch_size, device=plan.device)
        noise = plan.network.noise(batches.n_samples, self.start.generator)
        noise = noise if noise is None else noise.to(plan.device)
        return Validation(batches, noise, plan.stopping.objective)

    def _patience(self):
        """Return what stops the training; what a fit before it reached counts."""
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
        """Rows seen before the run, and in it."""
        return self.start.n_samples_seen + self.batches.n_samples

    def train(self, task=None):
        """Train, and return the net.

        Parameters
        ----------
        task : FitTask, default=None
            Told of every epoch; may ask to stop.
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
        """Return the state dict that the network would have if training ended now."""
        module = self.net.module_
        return module.state_dict() if self.patience is None else self.patience.kept(module)
