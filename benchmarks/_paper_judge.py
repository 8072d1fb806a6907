"""A judge of images: a network that is trained on real images, some blurred, to read factors."""

from hashlib import sha1

import joblib
import numpy as np
import torch
from _common import write_whole
from _paper_data import floats, some
from sklearn.decomposition import PCA
from torch import nn

__all__ = ["Blur", "Judge", "fetch_judge", "groups_of", "most_probable"]

MOST_ROWS = 10_000  # for training
N_EPOCHS, BATCH_SIZE, LR = 12, 64, 3e-3  # two minutes on one core, for 10,000 images of 64 x 64
N_FEATURES = 128
WIDTHS = (24, 48, 96, 128)
READ_AT_ONCE = 250
# Factors with so many numeric levels are quantities. The judge reads them in groups with equal
# numbers of images. With 25 levels, a step is a fraction of a pixel, and any change of the image
# would change its reading.
FEWEST_STEPS, N_GROUPS = 9, 5
# Decoded images are blurred. A network that has seen only sharp images reads random levels from
# them, with high confidence. So a share of the training images is projected on a random number of
# their principal components. The network learns to be unsure of what is no longer visible. With a
# larger share, it would read the finest lines of real images less well.
BLURRED, FEWEST_COMPONENTS, MOST_COMPONENTS, PCA_ROWS = 0.3, 4, 128, 2_000


def fetch_judge(images, cache):
    """Return the judge of images with factors, saved in a folder, or None without factors.

    Other images or other factors have another judge.
    """
    if images.factors_train is None:
        return None
    how = (N_EPOCHS, BATCH_SIZE, LR, WIDTHS, BLURRED, images.factor_names, images.factor_levels)
    digest = sha1(repr(how).encode())
    digest.update(some(images.train, 100))
    for factors in (images.factors_train, images.factors_test):
        digest.update(np.ascontiguousarray(factors, dtype=np.int64))
    path = cache / f"judge-{images.name}-{len(images.train)}-{digest.hexdigest()[:8]}.joblib"
    if not path.exists():
        judge = Judge.trained(images)
        write_whole(path, lambda part: joblib.dump(judge, part))
    return joblib.load(path)


def groups_of(levels, factor):
    """Return the group of every level: the level itself, or one of five groups of a quantity.

    Parameters
    ----------
    levels : tuple
        Names or numbers of the factor's levels.
    factor : ndarray of shape (n_images,)
        Levels of training images.
    """
    if isinstance(levels[0], str) or len(levels) < FEWEST_STEPS:
        return np.arange(len(levels))
    below = np.cumsum(np.bincount(factor, minlength=len(levels)))
    shares = (below - np.bincount(factor, minlength=len(levels)) / 2) / len(factor)
    return np.minimum((N_GROUPS * shares).astype(int), N_GROUPS - 1)


def most_probable(probabilities):
    """Return the most probable groups and their probabilities, each (n_images, n_factors)."""
    groups = np.stack([part.argmax(1) for part in probabilities], axis=1)
    return groups, np.stack([part.max(1) for part in probabilities], axis=1)


class Judge:
    """Reads factors from images, and returns the features that it uses for this.

    Attributes
    ----------
    factor_names : tuple of str
    groups : list of ndarray
        The group of every level of each factor, see :func:`groups_of`.
    accuracy : dict
        For each factor, the share of held-out images whose group is read correctly.
    """

    def __init__(self, network, image_shape, factor_names, groups):
        self.network, self.image_shape = network.eval(), image_shape
        self.factor_names, self.groups = factor_names, groups
        self.accuracy = {}

    @classmethod
    def trained(cls, images, n_epochs=N_EPOCHS):
        """Return the judge of these images."""
        rows, factors = some(images.train, MOST_ROWS), some(images.factors_train, MOST_ROWS)
        groups = [
            groups_of(levels, factor)
            for levels, factor in zip(images.factor_levels, factors.T, strict=True)
        ]
        sizes = [group.max() + 1 for group in groups]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = _Network(images.image_shape, sizes)
        judge = cls(network, images.image_shape, images.factor_names, groups)
        judge._learn(rows, judge.grouped(factors), n_epochs)
        groups, _ = most_probable(judge.probabilities(floats(images.test)))
        right = groups == judge.grouped(images.factors_test)
        judge.accuracy = dict(zip(images.factor_names, right.mean(0).tolist(), strict=True))
        return judge

    def grouped(self, factors):
        """Return the groups of levels, (n_images, n_factors)."""
        columns = zip(self.groups, factors.T, strict=True)
        return np.stack([group[factor] for group, factor in columns], axis=1)

    def features(self, pixels):
        """Return the features of images on the scale [0, 1], (n_images, 128)."""
        return np.concatenate([features.numpy() for features, _ in self._batches(pixels)])

    def probabilities(self, pixels):
        """Return the probabilities of the groups of each factor, (n_images, n_groups)."""
        batches = [
            [head.softmax(1).double().numpy() for head in heads]
            for _, heads in self._batches(pixels)
        ]
        return [np.concatenate(parts) for parts in zip(*batches, strict=True)]

    @torch.inference_mode()
    def _batches(self, pixels):
        """Yield the features of some images, and the output of every head."""
        for first in range(0, len(pixels), READ_AT_ONCE):
            features = self.network.features(self._input(pixels[first : first + READ_AT_ONCE]))
            yield features, self.network.heads_of(features)

    def _input(self, pixels):
        """Return centred images in the layout of the network."""
        pixels = np.ascontiguousarray(pixels, dtype=np.float32)
        images = torch.from_numpy(pixels).reshape(-1, *self.image_shape).permute(0, 3, 1, 2)
        return 2 * images - 1  # in memory, the channels are the last axis

    def _learn(self, rows, groups, n_epochs):
        """Minimise the sum of the cross-entropies of all factors."""
        batch_size = min(BATCH_SIZE, len(rows))
        n_batches = len(rows) // batch_size
        optimizer = torch.optim.AdamW(self.network.parameters(), weight_decay=0.05)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, LR, total_steps=n_epochs * n_batches
        )
        targets, rng, blur = torch.from_numpy(groups), np.random.default_rng(0), Blur(rows)
        self.network.train()
        for _ in range(n_epochs):
            order = rng.permutation(len(rows))[: n_batches * batch_size]
            for batch in order.reshape(n_batches, batch_size):
                features = self.network.features(self._input(blur(floats(rows[batch]), rng)))
                heads = self.network.heads_of(features)
                loss = sum(
                    nn.functional.cross_entropy(head, target)
                    for head, target in zip(heads, targets[batch].T, strict=True)
                )
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
        self.network.eval()


class Blur:
    """Projects random images on a random number of their principal components."""

    def __init__(self, rows):
        few = floats(some(rows, PCA_ROWS))
        n_components = min(MOST_COMPONENTS, len(few) - 1, few.shape[1])
        self.pca = PCA(n_components, random_state=0).fit(few)

    def __call__(self, pixels, rng):
        """Return the images, changed in place."""
        blurred = rng.random(len(pixels)) < BLURRED
        if not blurred.any():
            return pixels
        codes = self.pca.transform(pixels[blurred])
        ends = np.log([FEWEST_COMPONENTS, MOST_COMPONENTS])
        n_kept = np.exp(rng.uniform(*ends, (len(codes), 1)))
        codes[np.arange(codes.shape[1]) >= n_kept] = 0
        pixels[blurred] = self.pca.inverse_transform(codes)
        return pixels


class _Network(nn.Module):
    """Convolutions that halve the sides, a layer of features, and a linear head per factor."""

    def __init__(self, image_shape, sizes):
        super().__init__()
        height, width, channels = image_shape
        layers = []
        for n_filters in WIDTHS:
            layers += [
                nn.Conv2d(channels, n_filters, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(n_filters),
                nn.ReLU(),
            ]
            channels, height, width = n_filters, -(-height // 2), -(-width // 2)
        self.features = nn.Sequential(
            *layers,
            nn.Flatten(),
            nn.Linear(channels * height * width, N_FEATURES, bias=False),
            nn.BatchNorm1d(N_FEATURES),
            nn.ReLU(),
        )
        self.features.to(memory_format=torch.channels_last)
        self.sizes = [int(size) for size in sizes]
        self.heads = nn.Linear(N_FEATURES, sum(self.sizes))

    def heads_of(self, features):
        """Return the logits of each factor."""
        return self.heads(features).split(self.sizes, dim=1)
