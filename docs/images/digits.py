"""Make digits.png beside this file, the picture of the README: `python docs/images/digits.py`."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from PIL import Image
from sklearn.datasets import load_digits

from skvae import VAETransformer
from skvae.plotting import LatentSpaceDisplay, SampleDisplay

X, y = load_digits(return_X_y=True)
X = X / 16  # pixels in [0, 1]
shape = {"image_shape": (8, 8, 1), "value_range": (0, 1)}
plane = VAETransformer(2, max_epochs=200, random_state=0).fit(X)
model = VAETransformer(10, max_epochs=200, random_state=0).fit(X)

plt.rcParams["font.size"] = 8
figure, axes = plt.subplots(1, 3, figsize=(9.5, 3.2), layout="constrained")
LatentSpaceDisplay.from_estimator(
    plane,
    X,
    y.astype(str),
    manifold=True,
    n_steps=12,
    ax=axes[:2],
    size=4,
    cmap="tab10",
    image_cmap="gray_r",
    **shape,
)
SampleDisplay.from_estimator(
    model, n_samples=100, n_columns=10, random_state=0, ax=axes[2], cmap="gray_r", **shape
)
titles = ["Codes of two dimensions", "What that plane decodes to", "Samples from ten dimensions"]
for ax, title in zip(axes, titles, strict=True):
    ax.set_title(title)

path = Path(__file__).with_suffix(".png")
figure.savefig(path, dpi=100)
Image.open(path).quantize(128).save(path, optimize=True)
