"""The steps of a fit: validate the rows, plan, train, and set the fitted attributes."""

import torch

from skvae.base.fitted import attributes_of, attributes_so_far
from skvae.base.identity import CheckpointOf, identity_of
from skvae.base.planning import plan_of_fit, seeds_of, start_of
from skvae.base.states import adopt, fitted_as_a_whole, snapshot
from skvae.base.validation import check_flat, valid_rows
from skvae.training.checkpoints import Checkpoint
from skvae.training.devices import check_device
from skvae.training.run import TrainingRun
from skvae.training.splitting import split_rows
from skvae.training.threads import in_threads_for

__all__ = ["FittingMixin"]


class FittingMixin:
    """The private methods behind ``fit``, ``partial_fit`` and ``load_weights``."""

    @torch.inference_mode(mode=False)
    @torch.enable_grad()
    def _train(self, X, X_val=None, *, resume, **training):
        """Train, and set the fitted attributes all at once.

        If training fails, the estimator is unfitted; with ``resume`` it stays as it was. Until
        training ends, other threads use the state from before.
        """
        if resume:
            adopt(self, snapshot(self)._trained(X, X_val, resume=True, **training))
        else:
            with fitted_as_a_whole(self) as fresh:
                adopt(fresh, fresh._trained(X, X_val, resume=False, **training))
        return self

    def _trained(
        self, X, X_val, *, resume, n_epochs, keep, whole=False, n_seen=0, task=None, path=None
    ):
        """Validate, plan, train, and return the fitted attributes.

        With ``keep``, the attributes include the states of the optimizer and of the generator,
        from which training can continue. With ``whole``, X is all of the data, and the warnings at
        the end of a fit are issued.
        """
        X, X_val = self._validated(X, X_val, reset=not resume)
        checkpoint = None if path is None else self._checkpoint(path, X, X_val, resume)
        seeds = seeds_of(self)
        if checkpoint is not None:
            seeds = checkpoint.seeds = checkpoint.seeds or seeds
        start = start_of(self, seeds, resume=resume, n_seen=n_seen)
        validation_fraction = self.validation_fraction if self.early_stopping else None
        rows = split_rows(X, X_val, validation_fraction, start.split_seed)
        plan = plan_of_fit(self, rows, start, n_epochs=n_epochs, keep=keep)
        run = TrainingRun(plan, rows, start, checkpoint)
        step = plan.batch_size * plan.network.n_weights
        fitted = in_threads_for(step, lambda: self._carried_out(run, keep, task))
        if whole:
            self._caution(run)
        return fitted

    def _checkpoint(self, path, X, X_val, resume):
        """Return the checkpoint of a fit that starts now."""
        if resume:
            raise ValueError(
                "checkpoint= needs a fit that starts from the beginning. Got a warm start after "
                "another fit instead. Leave checkpoint out, or fit a clone."
            )
        of = path if isinstance(path, CheckpointOf) else CheckpointOf(path)
        return Checkpoint(of.path, of.identity | identity_of(self, X, X_val))

    def _carried_out(self, run, keep, task):
        """Train, and return the fitted attributes. ``task`` notifies scikit-learn's callbacks."""
        if task is not None:
            task.begin(run.plan.n_epochs, lambda: self._columns() | attributes_so_far(self, run))
        run.train(task)
        fitted = attributes_of(self, run)
        if keep:
            fitted["_generator_state_"] = run.start.generator.get_state().numpy()
        else:
            run.net.optimizer_.state.clear()
        if task is not None:
            task.end(self._columns() | fitted)
        return fitted

    def _columns(self):
        """Return the attributes that ``validate_data`` has set for the columns of this fit."""
        names = getattr(self, "feature_names_in_", None)
        return {"n_features_in_": self.n_features_in_, "feature_names_in_": names}

    def _validated(self, X, X_val, reset):
        """Return the rows as arrays, after a check of the parameters and of the device."""
        self._validate_params()
        given, X = X, self._training_rows(X, reset)
        self._take_columns(given, X, reset)
        if X_val is not None:
            X_val = self._check_validation(X_val)
        check_device(self.device)
        return X, X_val

    def _training_rows(self, X, reset):
        """Return X as a valid array of at least two rows."""
        return valid_rows(self, X, reset=reset, holes=self._takes_holes, fewest=2)

    def _check_validation(self, X_val):
        """Return the validation rows as an array."""
        if not self.early_stopping:
            raise ValueError(
                "X_val is for early stopping. Got X_val with early_stopping=False instead. "
                "Set early_stopping=True, or leave X_val out."
            )
        check_flat(X_val, name="X_val")
        return self._training_rows(X_val, reset=False)
