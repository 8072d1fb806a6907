"""What the user touches: the parameters and the life of an estimator, from ``fit`` to pickle."""

from collections.abc import Mapping
from os import PathLike
from typing import Any, Self

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from skvae._typing import MatrixLike
from skvae.base.fitted import attributes_of, attributes_so_far, attributes_with_weights
from skvae.base.hooks import ModelHooks
from skvae.base.hyperparameters import SharedParameters
from skvae.base.identity import CheckpointOf, identity_of
from skvae.base.inference import InferenceMixin
from skvae.base.pickling import pack, unpack
from skvae.base.planning import plan_of_fit, seeds_of, start_of
from skvae.base.sklearn_bases import only_if
from skvae.base.sklearn_callbacks import CallbackSupportMixin, watched_fit, with_callbacks
from skvae.base.states import adopt, fitted_as_a_whole, snapshot
from skvae.base.validation import check_flat, valid_rows
from skvae.training.checkpoints import Checkpoint
from skvae.training.devices import check_device
from skvae.training.run import TrainingRun
from skvae.training.splitting import split_rows
from skvae.training.threads import in_threads_for

__all__ = ["BaseAutoencoderTransformer"]


def _makes_whole_passes(estimator: Any) -> bool:
    """Say why an estimator with early stopping has no ``partial_fit``."""
    if isinstance(estimator.early_stopping, (bool, np.bool_)) and estimator.early_stopping:
        raise AttributeError(
            "partial_fit makes one pass over a chunk, which early stopping cannot judge. Got "
            "early_stopping=True instead. Set early_stopping=False, or use fit."
        )
    return True


class BaseAutoencoderTransformer(
    ModelHooks, InferenceMixin, CallbackSupportMixin, SharedParameters
):
    """What the autoencoders share: ``fit``, the methods of a fitted one, the pickle.

    A final class says what is computed (``_network``) and what is minimised (``_objective``).
    ``fit`` makes a plan of the two, and has it carried out.
    """

    @with_callbacks
    def fit(
        self,
        X: MatrixLike,
        y: Any = None,
        *,
        X_val: MatrixLike | None = None,
        checkpoint: str | PathLike[str] | None = None,
    ) -> Self:
        """Train on X.

        There is no ``sample_weight``: under mini-batches an integer weight does not equal a
        repeated row. Repeat the rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows, at least two, of any numeric dtype. A memory map stays on the disk, a
            sparse matrix sparse: batches are converted one by one.
        y : ignored
            Present for pipelines; may be anything.
        X_val : {array-like, sparse matrix} of shape (n_validation, n_features), default=None
            The rows that early stopping watches, at least two; None holds out
            ``validation_fraction`` of X.
        checkpoint : str or path-like, default=None
            A file to go on from, and to write: about every ten seconds, between two epochs, and at
            the end. If it is not there the fit begins. If a fit with the same parameters and rows
            was killed, the same call goes on from its file and ends bit for bit as it would have,
            on the same machine, versions and number of threads; after its end it gives its result
            at once. It holds no code; needs ``pip install skvae[save]``. Excepted are random
            layers of your own modules, and what callbacks have that a file does not hold.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter is out of its range; if X has fewer than two rows, NaN or infinite
            entries, or values outside the likelihood's support; if ``X_val`` comes
            without ``early_stopping``; if the loss does not stay finite. The estimator is
            then unfitted (after a warm start: as it was).
        SavingError
            A ``ValueError``. If the checkpoint is of another fit, damaged, or another kind of
            file, which is left alone.

        Warns
        -----
        CheckpointWarning
            If the checkpoint cannot be written; the fit goes on.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from sklearn.base import clone
        >>> from sklearn.datasets import load_iris
        >>> from skvae import VAETransformer
        >>> X = load_iris().data
        >>> vae = VAETransformer(2, max_epochs=5, random_state=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "fit.checkpoint"
        ...     fitted = clone(vae).fit(X, checkpoint=path)
        ...     again = clone(vae).fit(X, checkpoint=path)  # trains no more
        >>> bool((fitted.transform(X) == again.transform(X)).all())
        True
        """
        return self._train(
            X,
            X_val,
            resume=self.warm_start and hasattr(self, "net_"),
            n_epochs=self.max_epochs,
            keep=self.warm_start,
            whole=True,
            task=watched_fit(self, X, y),
            path=checkpoint,
        )

    @only_if(_makes_whole_passes)
    def partial_fit(self, X: MatrixLike, y: Any = None) -> Self:
        """Make one pass over X, one chunk of data that do not come at once.

        The first call on an unfitted estimator draws the weights, and takes from its chunk the
        scales of the network and the PCA that the linear maps and the noise variance begin at, so
        let that be a typical one. Further calls go on with the state of the optimizer and of the
        random numbers (after a ``fit`` without ``warm_start``, which keeps neither, with new ones);
        callbacks begin anew at every call. Each call counts as an epoch (``n_iter_``) whatever its
        rows, and as those rows in ``n_samples_seen_``. k calls with the same X are ``fit`` with
        ``max_epochs=k``, but for callbacks, and for the N of a
        :class:`~skvae.BetaTCVAETransformer`: the rows seen so far, unless ``n_samples`` tells
        it. A learned noise variance is set by the residual of the last chunk.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, at least two.
        y : ignored
            Present for pipelines; may be anything.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            As ``fit`` does. An estimator that was fitted stays as it was.
        AttributeError
            With ``early_stopping=True``, under which there is no ``partial_fit``.
        """
        resume = hasattr(self, "net_")
        n_seen = self.n_samples_seen_ if resume else 0
        return self._train(X, resume=resume, n_epochs=1, n_seen=n_seen, keep=True)

    def load_weights(self, weights: Mapping[str, Any], X: MatrixLike) -> Self:
        """Take weights that were trained elsewhere, on several processes say.

        ``net_.module_`` is what to train a copy of, and ``net_.criterion_`` what it minimises.
        A learned noise variance, and the autoencoder's density of codes to sample from, are set
        on X. ``history_`` and ``n_iter_`` remain those of the training here; ``net_`` is a new
        one, without callbacks, and further training begins with a new optimizer.

        Parameters
        ----------
        weights : dict of {str: tensor or ndarray}
            The state dict of such a copy, on any device.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows that it was trained on, or many of them; at least two.

        Returns
        -------
        self : object
            The estimator with these weights.

        Raises
        ------
        ValueError
            If the weights are those of another network, or not all finite. The estimator stays
            as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_iris
        >>> from skvae import VAETransformer
        >>> X = load_iris().data
        >>> long = VAETransformer(2, max_epochs=5, random_state=0).fit(X)
        >>> short = VAETransformer(2, max_epochs=1, random_state=0).fit(X)
        >>> short.load_weights(long.net_.module_.state_dict(), X).n_iter_
        1
        >>> np.allclose(short.transform(X), long.transform(X))
        True
        """
        check_is_fitted(self)
        X = self._training_rows(X, reset=False)
        adopt(self, attributes_with_weights(snapshot(self), weights, X))
        return self

    @torch.inference_mode(mode=False)
    @torch.enable_grad()
    def _train(self, X, X_val=None, *, resume, **training):
        """Take the fitted attributes of a training, all at once.

        On failure none are left, or those of before where training was to ``resume``. Until the
        end other threads find the state of before.
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

        The states of the optimizer and of the generator stay only to ``keep`` on from them. Only
        of ``whole`` data is it said what was left undone.
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
        """Return the checkpoint of a fit that begins."""
        if resume:
            raise ValueError(
                "checkpoint= is of a fit from its beginning. Got a warm start after another fit "
                "instead. Leave checkpoint out, or fit a clone."
            )
        of = path if isinstance(path, CheckpointOf) else CheckpointOf(path)
        return Checkpoint(of.path, of.identity | identity_of(self, X, X_val))

    def _carried_out(self, run, keep, task):
        """Train, and return the fitted attributes; tell a task, if there is one, of both."""
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
        """Return what ``validate_data`` told of the columns; the estimator may know others."""
        names = getattr(self, "feature_names_in_", None)
        return {"n_features_in_": self.n_features_in_, "feature_names_in_": names}

    def _validated(self, X, X_val, reset):
        """Return the rows as arrays, after a look at the parameters and at the device."""
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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = self._takes_holes
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def __getstate__(self):
        return pack(super().__getstate__())

    def __setstate__(self, state):
        super().__setstate__(unpack(type(self), state))
