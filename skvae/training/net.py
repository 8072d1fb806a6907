"""The skorch net that trains a network: its epochs, and the notification of callbacks."""

import dis
import math
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from skorch import NeuralNet
from skorch.dataset import Dataset
from torch.utils.data import Subset

from skvae.training.batches import dense_rows
from skvae.training.callbacks import own_callbacks
from skvae.training.devices import generator_of_epoch
from skvae.training.means import EpochMeans, fetched
from skvae.training.optimizers import FUSED_DEVICES, OPTIMIZERS
from skvae.training.progress import progress_bar, show_epoch, stop_early
from skvae.training.steps import Steps

__all__ = ["AutoencoderNet", "Validation", "make_net"]

LOSSES = {"train_loss": "training", "valid_loss": "validation"}


def _is_raised_by_code(error):
    """Return whether a raise statement raised this exception, and not a signal."""
    traceback = error.__traceback__
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    code, place = traceback.tb_frame.f_code.co_code, traceback.tb_lasti
    return place >= len(code) or dis.opname[code[place]] == "RAISE_VARARGS"


class Validation(NamedTuple):
    """The data of the validation loss, which are the same in every epoch."""

    batches: object  # Batches, unshuffled
    noise: torch.Tensor | None  # (n_samples, n_components)
    objective: torch.nn.Module


class AutoencoderNet(NeuralNet):
    """A skorch net whose epochs run over :class:`~skvae.training.batches.Batches`.

    Use ``fit_batches`` in place of ``fit``. ``forward`` and ``predict`` return the reconstruction.
    """

    @property
    def _default_callbacks(self):
        return []

    def infer(self, x, **fit_params):
        """Return the module's output for a batch of any float or integer dtype."""
        weights = next(self.module_.parameters())
        return self.module_(torch.as_tensor(x).to(weights), **fit_params)

    def evaluation_step(self, batch, training=False):
        """Return the reconstruction of a batch."""
        self.check_is_fitted()
        with torch.set_grad_enabled(training):
            self._set_training(training)
            return self.infer(batch[0])["likelihood"].mean

    def get_iterator(self, dataset, training=False):
        """Return the batches of a dataset in order, read as slices and not row by row."""
        X = dataset.dataset.X[dataset.indices] if isinstance(dataset, Subset) else dataset.X
        return (
            (np.array(dense_rows(X, slice(start, start + 1024))), None)
            for start in range(0, X.shape[0], 1024)
        )

    def fit_batches(
        self,
        train,
        validation=None,
        *,
        epochs,
        generator,
        first_epoch=0,
        unit=1.0,
        patience=None,
        precision="float32",
        progress=False,
        task=None,
        checkpoint=None,
    ):
        """Train for some epochs.

        Parameters
        ----------
        train : Batches
            The training rows.
        validation : Validation, default=None
            The validation rows, which are evaluated after every epoch.
        epochs : int
            Largest number of epochs.
        generator : torch.Generator
            Source of the orders of rows and of the latent noise.
        first_epoch : int, default=0
            Number of epochs trained before, at which the schedules of the objective continue.
        unit : float, default=1.0
            Unit by which the loss of the optimizer is divided. For a squared error it is the
            variance of X, so that a fit does not depend on the units of X.
        patience : Patience, default=None
            Early stopping on the validation loss.
        precision : {"float32", "bfloat16"}, default="float32"
            Precision of the products in training steps. Validation uses float32.
        progress : bool, default=False
            Whether to show a progress bar.
        task : FitTask, default=None
            Notifies scikit-learn's callbacks of every epoch, and may ask to stop.
        checkpoint : Checkpoint, default=None
            The file from which training continues, and to which it is saved.

        Raises
        ------
        ValueError
            If the loss of an epoch is not finite.
        """
        X, datasets = train.X, _datasets(train, validation)
        self.notify("on_train_begin", X=X, y=X)
        ended = checkpoint is not None and checkpoint.begin(self, generator, patience)
        done, best = len(self.history), self._best()
        with progress_bar(epochs, done, progress) as bar, Steps(self, precision) as steps:
            for epoch in range(first_epoch + done, first_epoch + (done if ended else epochs)):
                self.notify("on_epoch_begin", **datasets)
                if task is not None:
                    task.begin_epoch()
                self.module_.train()
                draws = generator_of_epoch(generator, train.device)
                epochs_means = [self._train_epoch(steps, train, draws, epoch, unit)]
                self.module_.eval()
                if validation is not None:
                    epochs_means.append(self._validate(validation))
                shown = self._record_epoch(epochs_means, best)
                self._check_finite(shown)
                show_epoch(bar, shown)
                ended = self._ends_after(shown, patience, datasets, task)
                if checkpoint is not None:
                    last = ended or epoch + 1 == first_epoch + epochs
                    checkpoint.end_epoch(self, generator, patience, last)
                if ended:
                    stop_early(bar)
                    break
        self.criterion_.epoch = math.inf
        if patience is not None:
            patience.restore(self.module_)
        self.notify("on_train_end", X=X, y=X)
        self.module_.eval()
        return self

    def _best(self):
        """Return the smallest losses of the epochs so far."""
        names = LOSSES.keys() & self.history[-1].keys() if self.history else ()
        return {name: min(epoch[name] for epoch in self.history if name in epoch) for name in names}

    def _check_finite(self, shown):
        """Raise an error if a loss is not finite."""
        for name in LOSSES.keys() & shown.keys():
            if not math.isfinite(shown[name]):
                raise ValueError(
                    f"The {LOSSES[name]} loss must stay finite. Got {shown[name]} in epoch "
                    f"{len(self.history)} instead. Use a smaller lr than {self.lr}, or scale X."
                )

    def _ends_after(self, shown, patience, datasets, task):
        """Notify all callbacks of the end of an epoch; return whether training must stop."""
        stop = patience is not None and patience.exhausted(shown["valid_loss"], self.module_)
        try:
            self.notify("on_epoch_end", **datasets)
        except KeyboardInterrupt as error:
            if not _is_raised_by_code(error):
                raise
            stop = True  # this is how callbacks of skorch end training
        if task is not None:
            stop = task.end_epoch() or stop
        return stop

    def _train_epoch(self, steps, batches, generator, number, unit):
        """Take one step on every batch; return the means of every term and of the loss.

        Nothing here waits for a GPU, except if a callback must be notified of every batch.
        """
        module, objective = self.module_, self.criterion_
        steps.begin_epoch()
        epoch = EpochMeans(keeps="loss" if self.callbacks_ and not steps.heard else None)
        for number_of_step, x in enumerate(batches.shuffled(generator)):
            objective.epoch = number + number_of_step / len(batches.slices)
            if steps.heard:
                self.notify("on_batch_begin", batch=(x, x), training=True)
            noise = module.noise(len(x), generator)
            # Every row has the same weight, so a short batch has a smaller weight.
            weight = len(x) / batches.full / unit
            means = steps.pull(x, noise if noise is None else noise.to(x.device), weight)
            if steps.heard:
                self.notify(
                    "on_grad_computed",
                    named_parameters=list(self.get_all_learnable_params()),
                    batch=(x, x),
                    training=True,
                )
            steps.move()
            epoch.add(means, len(x))
            if steps.heard:
                loss, y_pred = means["loss"], steps.step.prediction()
                self._record_batch(loss.item(), len(x))
                self.notify("on_batch_end", batch=(x, x), training=True, loss=loss, y_pred=y_pred)
        steps.end_epoch()
        return epoch

    def _record_batch(self, loss, n_samples):
        self.history.record_batch("train_loss", loss)
        self.history.record_batch("train_batch_size", n_samples)

    def validation_loss(self, validation):
        """Return the loss on the validation rows with the current weights."""
        self.module_.eval()
        ((means, _),) = fetched(self._validate(validation))
        return means["loss"]

    @torch.no_grad()
    def _validate(self, validation):
        """Return the means of every term and of the loss over the validation rows."""
        epoch = EpochMeans()
        batches, noise, objective = validation
        for (start, stop), x in zip(batches.slices, batches, strict=True):
            output = self.module_(x, noise if noise is None else noise[start:stop])
            means = objective.means(output, x)
            epoch.add({**means, "loss": objective.total(means)}, len(x))
        return epoch

    def _record_epoch(self, epochs, best):
        """Record the means of training and validation in an epoch; return them by their names.

        The losses of batches are recorded too, because some callbacks of skorch read them at the
        end of an epoch, such as ``Checkpoint`` and ``PassthroughScoring``.
        """
        (means, batches), *validation = fetched(*epochs)
        for loss, n_samples in batches:
            self.history.new_batch()
            self._record_batch(loss, n_samples)
        shown = self._record("", means, best)
        for valid_means, _ in validation:
            shown |= self._record("valid_", valid_means, best)
        return shown

    def _record(self, prefix, means, best):
        """Record the means of an epoch in the history; return them by their recorded names."""
        loss = means.pop("loss")
        loss_name = "valid_loss" if prefix else "train_loss"
        record = {loss_name: loss, **{prefix + name: value for name, value in means.items()}}
        for name, value in record.items():
            self.history.record(name, value)
        self.history.record(loss_name + "_best", loss < best.get(loss_name, math.inf))
        best[loss_name] = min(loss, best.get(loss_name, math.inf))
        return record


def _datasets(train, validation):
    """Return the datasets for skorch's callbacks. The target of a row is the row itself."""
    datasets = {"dataset_train": Subset(Dataset(train.X, train.X), train.rows)}
    if validation is None:
        return {**datasets, "dataset_valid": None}
    X, rows = validation.batches.X, validation.batches.rows
    return {**datasets, "dataset_valid": Subset(Dataset(X, X), rows)}


def make_net(plan):
    """Return an initialized :class:`AutoencoderNet` with the network and objective of a plan."""
    options = {"weight_decay": plan.weight_decay} if plan.weight_decay else {}
    optimizer = plan.optimizer
    if not callable(optimizer):
        options["fused"] = torch.device(plan.device).type in FUSED_DEVICES
        optimizer = OPTIMIZERS[optimizer]
    net = AutoencoderNet(
        plan.network,
        plan.objective,
        optimizer=partial(optimizer, **options),
        lr=plan.lr,
        callbacks=own_callbacks(plan.callbacks or []),
        train_split=None,
        iterator_train=None,
        iterator_valid=None,
        predict_nonlinearity=None,
        use_caching=False,
        verbose=0,
        device=plan.device,
    )
    net.initialize()
    if not hasattr(net.optimizer_, "param_groups"):
        raise TypeError(
            f"optimizer= must be a name, or a callable of (parameters, lr) that returns a torch "
            f"optimizer. Got {net.optimizer_!r} from {plan.optimizer!r} instead. Pass a class of "
            f"torch.optim, or a functools.partial of one."
        )
    return net
