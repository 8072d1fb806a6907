"""
Learning from a stream
======================

Can a model learn from rows that it sees only once? ``partial_fit`` takes a chunk of rows, makes one
pass over it and keeps the state of the optimizer. Here chunks of images are made, learned from and
thrown away. After each chunk, the model is scored on other images. For comparison, a second model
keeps the first chunk and makes the same number of passes over it.
"""

import matplotlib.pyplot as plt
from sklearn.base import clone

from skvae import VAETransformer
from skvae.datasets import make_sprites

N_CHUNKS, N_ROWS = 80, 250


def images(seed, n_samples=N_ROWS):
    sprites = make_sprites(
        n_samples, size=16, shapes=("square", "ellipse"), n_scales=3, random_state=seed
    )
    return sprites.data


# %%
# The stream
# ----------
#
# Only one chunk is in memory at a time. The first chunk sets the scales of the network.

new = images(seed=N_CHUNKS, n_samples=1_000)
streamed = VAETransformer(
    5, likelihood="bernoulli", input_scale=1 / 255, lr=2e-3, batch_size=50, random_state=0
)
repeated = clone(streamed)
scores = {"every chunk once": [], "the first chunk again and again": []}
first = images(seed=0)
for number in range(N_CHUNKS):
    chunk = images(seed=number)
    scores["every chunk once"].append(streamed.partial_fit(chunk).score(new))
    scores["the first chunk again and again"].append(repeated.partial_fit(first).score(new))
print(f"{streamed.n_samples_seen_} rows in {streamed.n_iter_} chunks")
for name, values in scores.items():
    print(f"{name:32} ELBO of new images: at most {max(values):.1f}, last {values[-1]:.1f} nats")

# %%
# Both models make the same number of steps. The first gets new rows in every chunk, so it cannot
# memorise them. The second memorises the rows of its one chunk.

figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
for name, values in scores.items():
    axes.plot(range(1, N_CHUNKS + 1), values, label=name)
axes.set(xlabel=f"passes over {N_ROWS} rows", ylabel="ELBO of new images, nats")
axes.legend(frameon=False)
axes.spines[["top", "right"]].set_visible(False)
