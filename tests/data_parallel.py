"""Run by test_data_parallel.py, on one process or several: what they found, as JSON.

python data_parallel.py folder results.json

The folder holds X.npy. Several processes run the example too, as the last thing that they do.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object

from skvae import AutoencoderTransformer, BetaTCVAETransformer, VAETransformer
from skvae.nn.objectives import TotalCorrelationObjective

sys.path.append(str(Path(__file__).parent.parent / "docs" / "examples"))

import accelerate_fit

BATCH = 100  # of all processes
SMALL = {"n_components": 2, "hidden_layer_sizes": (8,), "random_state": 0}
MODELS = {
    "autoencoder": AutoencoderTransformer(**SMALL),
    "vae": VAETransformer(noise_variance=0.5, **SMALL),
    "learned": VAETransformer(**SMALL),
    "tc": BetaTCVAETransformer(n_samples=400, **SMALL),
}


class Watched(TotalCorrelationObjective):
    """Writes down M and N."""

    seen = set()

    def penalties(self, posterior, z):
        self.seen.add((len(z), self.n_samples))
        return super().penalties(posterior, z)


def main(folder, output):
    folder = Path(folder)
    X = np.load(folder / "X.npy").astype(np.float32)
    share = BATCH // int(os.environ.get("WORLD_SIZE", 1))
    results = {}
    for name, model in MODELS.items():
        model.partial_fit(X[:100])
        if name == "tc":
            model.net_.criterion_.__class__ = Watched
        losses = accelerate_fit.fit_data_parallel(model, X, batch_size=share, epochs=3, lr=1e-2)
        results[name] = {"losses": losses, "codes": model.transform(X).tolist()}
    results["seen"] = gather_object(sorted(Watched.seen))
    accelerator = Accelerator(cpu=True)
    several = accelerator.num_processes > 1
    if several:
        results["backend"] = torch.distributed.get_backend()
    if accelerator.is_main_process:
        (folder / output).write_text(json.dumps(results))
    if several:
        sys.argv = ["accelerate_fit.py", "--epochs", "2", "--output", str(folder / "vae.joblib")]
        accelerate_fit.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
