"""Claim: exported models answer one row faster than the estimator, and their process is smaller.

There are two models: the default outlier detector for a table (5,000 x 30), which returns scores,
and a VAE for 1,000 images of 32 x 32, which returns codes. Each is saved in four ways: as a pickle,
as a file of skvae.save, as an ONNX file, and as a program of torch.export. A new process with one
thread imports what it needs, and loads the file. It then answers one row (the median of 100 calls)
and a thousand rows (of 5 calls), in float32. The ways run in turn. A ratio compares a way with the
pickle of the same repetition. Answers are compared with those of the estimator. They may differ by
at most 1e-5 of the largest answer.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before the imports

import json
import pickle
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

WAYS = ("pickle", "skvae.save", "ONNX", "torch.export")
N_ROWS, N_COLUMNS, SIDE = 5000, 30, 32
CALLS = {1: 100, 1000: 5}
TOLERANCE = 1e-5


def answering(way, path, method):
    """Return a function from rows to answers of the saved model. It includes the imports."""
    if way == "ONNX":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options)
        return lambda rows: session.run(None, {"X": rows})[0]
    import torch

    torch.set_num_threads(1)
    if way == "torch.export":
        module = torch.export.load(path).module()
        return lambda rows: module(torch.from_numpy(rows)).numpy()
    import skvae

    if way == "skvae.save":
        return getattr(skvae.load(path), method)
    with open(path, "rb") as file:
        return getattr(pickle.load(file), method)


def child(way, path, method, folder):
    """Print the costs of one way as JSON. The process does nothing else."""
    started = perf_counter()
    answer = answering(way, path, method)
    measured = {"load, s": perf_counter() - started}
    rows, expected = (np.load(f"{folder}/{name}.npy") for name in ("rows", "expected"))
    error = np.abs(answer(rows) - expected).max() / np.abs(expected).max()
    for n_rows, n_calls in CALLS.items():
        seconds = []
        answer(rows[:n_rows])
        for _ in range(n_calls):
            started = perf_counter()
            answer(rows[:n_rows])
            seconds.append(perf_counter() - started)
        measured[f"{n_rows} rows, ms"] = 1000 * median(seconds)
    measured["memory, MB"] = peak_memory()
    print(json.dumps({**measured, "error": float(error)}))


def peak_memory():
    """Return the peak memory of this process in MB (Linux). getrusage includes the parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def written(model, part, folder):
    """Save an estimator in every way, and return the paths."""
    import torch

    import skvae

    paths = {way: str(folder / f"model{number}.onnx") for number, way in enumerate(WAYS)}
    Path(paths["pickle"]).write_bytes(pickle.dumps(model))
    skvae.save(model, paths["skvae.save"])
    skvae.to_onnx(model, paths["ONNX"], part)
    rows = {"X": {0: torch.export.Dim("n_samples", min=1)}}
    example = torch.zeros(2, model.n_features_in_)
    program = torch.export.export(skvae.to_torch(model, part), (example,), dynamic_shapes=rows)
    paths["torch.export"] = str(folder / "model.pt2")
    torch.export.save(program, paths["torch.export"])
    return paths


def models():
    """Yield names, fitted models, rows to answer, parts and methods."""
    from skvae import AutoencoderOutlierDetector, VAETransformer
    from skvae.datasets import make_linear_gaussian, make_sprites

    X = make_linear_gaussian(N_ROWS + 1000, n_features=N_COLUMNS, random_state=0).data
    X = X.astype(np.float32)
    detector = AutoencoderOutlierDetector(random_state=0).fit(X[:N_ROWS])
    yield "detector", detector, X[N_ROWS:], "score_samples", "score_samples"
    images = make_sprites(1000, size=SIDE, random_state=0).data
    images = np.reshape(images, (len(images), -1)).astype(np.float32)
    shape = (SIDE, SIDE, images.shape[1] // SIDE**2)
    vae = VAETransformer(10, image_shape=shape, max_epochs=2, random_state=0).fit(images)
    yield "images", vae, images, "code", "transform"


def measured(name, model, rows, part, method, n_repeats):
    """Return a row for each way."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        np.save(folder / "rows.npy", rows)
        np.save(folder / "expected.npy", getattr(model, method)(rows))
        paths = written(model, part, folder)
        runs = {way: [] for way in WAYS}
        for _ in range(n_repeats):
            for way, path in paths.items():
                command = [sys.executable, __file__, "--child", way, path, method, str(folder)]
                done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
                runs[way].append(json.loads(done.stdout))
        sizes = {way: os.path.getsize(path) / 1024 for way, path in paths.items()}
    found = []
    for way, of_way in runs.items():
        row = {"model": name, "way": way, "file, kB": sizes[way]}
        row |= {key: median(run[key] for run in of_way) for key in of_way[0]}
        pairs = zip(of_way, runs["pickle"], strict=True)
        row["ratio"] = median(run["1 rows, ms"] / first["1 rows, ms"] for run, first in pairs)
        found.append(row)
    return found


def main():
    from _common import make_parser, one_thread, print_machine, print_table, save

    parser = make_parser(__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="processes for each way (default 3)")
    arguments = parser.parse_args()
    one_thread()
    print_machine()
    rows = [row for model in models() for row in measured(*model, arguments.repeats)]
    header = list(rows[0])
    cells = [[show(row[key]) for key in header] for row in rows]
    print_table(header, cells, n_left=2)
    versions = {name: version(name) for name in ("onnx", "onnxruntime", "onnxscript")}
    save("serving", rows, repeats=arguments.repeats, **versions)
    if max(row["error"] for row in rows) > TOLERANCE:
        sys.exit(f"Answers must differ by at most {TOLERANCE} of the largest. Got more instead.")


def show(value):
    """Return a cell of the printed table."""
    return value if isinstance(value, str) else f"{value:.3g}" if value < 1000 else f"{value:.0f}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    else:
        main()
