"""The base class of the transformers: parameters, ``fit``, ``partial_fit``, weights, pickles."""

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
from skvae.base.identity import identity_of
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
    """Return True if the estimator has ``partial_fit``, or raise an error that says why not."""
    if isinstance(estimator.early_stopping, (bool, np.bool_)) and estimator.early_stopping:
        raise AttributeError(
            "partial_fit makes a single pass over a chunk, and cannot stop early. Got "
            "early_stopping=True instead. Set early_stopping=False, or use fit."
        )
    return True


class BaseAutoencoderTransformer(
    ModelHooks, InferenceMixin, CallbackSupportMixin, SharedParameters
):
    """The base class of all autoencoders: ``fit``, the methods of a fitted model, pickles.

    A final class defines the network (``_network``) and the objective (``_objective``). ``fit``
    makes a plan of the two, and trains by it.
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

        There is no ``sample_weight``. With mini-batches, an integer weight is not the same as a
        repeated row. Repeat the rows instead.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows, at least two, of any numeric dtype. Batches are converted one by one. So
            a memory map stays on the disk, and a sparse matrix stays sparse.
        y : ignored
            Present for pipelines. It may have any value.
        X_val : {array-like, sparse matrix} of shape (n_validation, n_features), default=None
            Validation rows for early stopping, at least two. None: ``validation_fraction`` of X is
            held out.
        checkpoint : str or path-like, default=None
            A file in which the state of the fit is saved: between two epochs, about every ten
            seconds, and at the end. If the file does not exist, the fit starts from the beginning.
            If a fit was killed, call ``fit`` again with the same parameters, rows and file. It
            continues from the file. On the same machine, with the same versions and number of
            threads, its result is the same bit by bit as without the interruption. If the fit in
            the file is complete, the call returns its result at once. The file contains no code.
            It needs ``pip install skvae[save]``. Two things are not restored: the random state of
            layers in your own modules, and state of callbacks that the file does not contain.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter is out of its range; if X has fewer than two rows, NaN or infinite
            entries, or values outside the support of the likelihood; if ``X_val`` is given
            without ``early_stopping``; if the loss does not stay finite. The estimator is
            then unfitted. After a warm start, it stays as it was.
        SavingError
            A ``ValueError``. If the checkpoint belongs to a different fit, is damaged, or is
            another kind of file. The file is not changed.

        Warns
        -----
        CheckpointWarning
            If the checkpoint cannot be written. The fit continues.

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
        """Make one pass over X, which is one chunk of the data.

        The first call on an unfitted estimator draws the weights. It also computes two things from
        its chunk: the scales of the network, and the PCA from which the linear maps and the noise
        variance start. So the first chunk should be typical of the data.

        Further calls continue with the state of the optimizer and of the random numbers. A ``fit``
        without ``warm_start`` keeps neither, so a call after it starts with new ones. Callbacks
        start again in every call. Each call counts as one epoch in ``n_iter_``, and adds its
        number of rows to ``n_samples_seen_``.

        k calls with the same X equal ``fit`` with ``max_epochs=k``, with two exceptions: callbacks,
        and the N of a :class:`~skvae.BetaTCVAETransformer`, which is the number of rows seen so far
        unless ``n_samples`` is set. A learned noise variance is computed from the residual of the
        last chunk.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, at least two.
        y : ignored
            Present for pipelines. It may have any value.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            In the same cases as in ``fit``. An estimator that was fitted stays as it was.
        AttributeError
            If ``early_stopping=True``, since ``partial_fit`` is not available then.
        """
        resume = hasattr(self, "net_")
        n_seen = self.n_samples_seen_ if resume else 0
        return self._train(X, resume=resume, n_epochs=1, n_seen=n_seen, keep=True)

    def load_weights(self, weights: Mapping[str, Any], X: MatrixLike) -> Self:
        """Load weights that were trained elsewhere, for example by several processes.

        To train elsewhere, copy ``net_.module_``, and minimise ``net_.criterion_``. A learned noise
        variance is computed again from X, and so is the density of codes from which the
        autoencoder samples. ``history_`` and ``n_iter_`` do not change. ``net_`` is a new net
        without callbacks. Further training starts with a new optimizer.

        Parameters
        ----------
        weights : dict of {str: tensor or ndarray}
            The state dict of the trained copy, on any device.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows on which the copy was trained, or many of them; at least two.

        Returns
        -------
        self : object
            The estimator with these weights.

        Raises
        ------
        ValueError
            If the weights belong to a different network, or are not all finite. The estimator
            stays as it was.

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
        return Checkpoint(path, identity_of(self, X, X_val))

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
