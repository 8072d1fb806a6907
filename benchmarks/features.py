"""Claim: the codes of autoencoders are better features than the same number of PCA components.

Each model has its default settings, except ``n_components`` and ``random_state``. Its codes are
standardised. A linear model and five nearest neighbours predict the target from the codes. The
linear model is a logistic regression, or Ridge for a numeric target. The scores are accuracy or R2
on held-out rows. PCA, KernelPCA (rbf), FactorAnalysis, UMAP and the raw columns are compared. The
raw columns do not depend on the number of components.

Every seed has another random split with 25 % held-out rows. It is also the seed of the model.
Columns of tables are standardised by the training rows. Pixels are divided by the largest possible
value. The drawn faces are shrunk to half their resolution, 3,072 numbers for each. MNIST and the
faces have 3,000 rows each, the same for every seed. Classes with fewer than five rows are left out
(two classes of ecoli, with two rows each). Repeated rows of a table are used once. The quality of
white wine, a grade from 3 to 9, is a numeric target. Splits are stratified by class, except those
of the faces. The faces have four targets, which are predicted from the same codes. Levels of a
target with the same name are one class.

Means over tasks use the tasks with classes. The faces count as one task, the mean of their targets,
since these targets share their codes, and the interval over tasks assumes independent tasks.
Margins are 95 % intervals by Student's t: over seeds for one task, and over tasks for a mean of
tasks. "best of AE and VAE" is, for each task, the model with the better mean. The held-out scores
choose it, so its value is a little too high. Both models are also shown alone. Seconds are
processor time on one thread, for the fit and both transforms.

``--data`` is a folder with ``tables/``, ``mnist.npz`` and ``avatars64.npz`` (keys ``X``,
``factors``, ``factor_names``, ``factor_levels``). Without it, only scikit-learn's own data sets are
used. UMAP comes with ``pip install skvae[bench]``. Without umap-learn it is left out. Results are
kept in ``benchmarks/cache/features``, one file for each fit. ``--resume`` reads them if the source
of skvae has not changed. ``--kept`` prints the kept results and measures nothing.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # the libraries read it when they are imported
os.environ["NUMBA_NUM_THREADS"] = "1"

import json
from hashlib import sha1
from importlib.util import find_spec
from pathlib import Path

from _common import (
    make_parser,
    one_thread,
    print_machine,
    print_table,
    rows_of,
    save,
    save_picture,
    write_whole,
)
from _features_methods import AUTOENCODERS, METHODS, RAW, UMAP, codes_of, source, told, warm_up
from _features_tables import SCORES, gains, interval, shown, sizes_of, tasks_of, times
from _features_tasks import N_ROWS, TASKS, divide, file_of, load
from joblib import Parallel, delayed

CACHE = Path(__file__).parent / "cache" / "features"
SIZES = (2, 5, 10, 20)
QUICK = {"epochs": 2, "seeds": 2, "sizes": [2, 5]}
STYLES = {RAW: ("black", "--"), "PCA": ("black", "-")}
N_COLUMNS = 4


def settings_of(arguments):
    """Return the settings of the autoencoders that are not their defaults."""
    settings = {"max_epochs": arguments.epochs, "device": arguments.device}
    return {name: value for name, value in settings.items() if value is not None}


def kept_in(name, seed, method, size, arguments):
    """Return the file of a fit. Other settings, or another source of skvae, give another file."""
    key = [N_ROWS, *([settings_of(arguments), source()] if method in AUTOENCODERS else [])]
    digest = sha1(json.dumps(key).encode()).hexdigest()[:8]
    return CACHE / f"{name}--{seed}--{method}--{size or 'all'}--{digest}.json"


def measure_fit(name, split, seed, method, size, arguments):
    """Return a row for each target of a task. One fit gives the codes for all targets."""
    train, test, seconds = codes_of(method, split, size, seed, **settings_of(arguments))
    common = {"task": name, "method": method, "n_components": size, "seed": seed}
    common |= {"grades": split.grades, "seconds": seconds}
    return [
        {**common, "target": target, **told(train, test, *y, grades=split.grades)}
        for target, y in split.targets.items()
    ]


def measure(name, seed, methods, arguments):
    """Return the rows of all fits to one split of a task."""
    one_thread()
    split = divide(load(name, arguments.data), seed)
    rows = []
    for method in methods:
        sizes = [size for size in arguments.sizes if size <= split.most_components]
        for size in [None] if method == RAW else sizes:
            path = kept_in(name, seed, method, size, arguments)
            if not (path.exists() and (arguments.resume or arguments.kept)):
                if arguments.kept:
                    continue
                warm_up(methods)
                CACHE.mkdir(parents=True, exist_ok=True)
                text = json.dumps(measure_fit(name, split, seed, method, size, arguments))
                write_whole(path, lambda part, text=text: part.write_text(text))
            rows += json.loads(path.read_text())
    return rows


def over_seeds(rows):
    """Return one row for each task, target, method and size, with means, margins and seconds."""
    groups = {}
    for row in rows:
        key = [row[name] for name in ("task", "target", "method", "n_components")]
        groups.setdefault(tuple(key), []).append(row)
    folded = []
    for (task, target, method, size), group in groups.items():
        line = {"task": task, "target": target, "method": method, "n_components": size}
        line |= {"measure": "R2" if group[0]["grades"] else "accuracy", "seeds": len(group)}
        for score in SCORES:
            line[score], line[f"{score}, margin"] = interval(row[score] for row in group)
        seconds = [row["seconds"] for row in group]
        folded.append(line | {"seconds": None if None in seconds else interval(seconds)[0]})
    return folded


def report_tasks(folded):
    """Print the scores and the seconds of every task, one line for each method."""
    for task, target in dict.fromkeys((row["task"], row["target"]) for row in folded):
        of_task = rows_of(folded, task=task, target=target)
        sizes = sizes_of(of_task)
        header = [f"{key}, {size}" for key in (*SCORES, "seconds") for size in sizes]
        lines = []
        for method in dict.fromkeys(row["method"] for row in of_task):
            at = {row["n_components"]: row for row in rows_of(of_task, method=method)}
            at = [at.get(None, at.get(size)) for size in sizes]
            cells = [
                shown(row[score], row[f"{score}, margin"]) if row else ""
                for score in SCORES
                for row in at
            ]
            seconds = [row["seconds"] if row else None for row in at]
            lines.append([method, *cells, *("" if s is None else f"{s:.2f}" for s in seconds)])
        title = f"{task}, {target}" if target else task
        counts = [row["seeds"] for row in of_task]
        n_seeds = f"{min(counts)} to {max(counts)}" if len(set(counts)) > 1 else f"{counts[0]}"
        print(f"{title}: {of_task[0]['measure']}, mean over the seeds ({n_seeds} of them)\n")
        print_table(["method", *header], lines)


def report_gains(lines, title):
    """Print the differences from the scores of PCA, one line for each method and size."""
    header = ["method", "k", "tasks"]
    header += [name for score in SCORES for name in (score, "95 % interval", "won-lost")]
    cells = []
    for line in lines:
        cells.append([line["method"], str(line["n_components"]), str(line["tasks"])])
        for score in SCORES:
            inside = line[f"{score}, interval"]
            cells[-1] += [
                f"{line[score]:+.3f}",
                f"{inside[0]:+.3f} to {inside[1]:+.3f}" if inside else "",
                "-".join(map(str, line[f"{score}, won and lost"])),
            ]
    print(f"{title} minus that of PCA, mean over the tasks\n")
    print_table(header, cells)


def report_times(lines, tasks):
    """Print the seconds for every task, and the ratio to those of PCA."""
    cells = []
    for line in lines:
        seconds = [line["seconds"].get(task) for task in tasks]
        cells.append([line["method"], *("" if s is None else f"{s:.2f}" for s in seconds)])
        cells[-1].append("" if line["over_pca"] is None else f"{line['over_pca']:.3g}")
    print("seconds of fit and transform, mean over sizes and seeds\n")
    print_table(["method", *tasks, "/ PCA"], cells)


def draw(panels, folded, score):
    """Draw a score over the number of components, with a panel for each task and target."""
    tasks = list(dict.fromkeys((row["task"], row["target"]) for row in folded))
    methods = [method for method in METHODS if rows_of(folded, method=method)]
    for axes, (task, target) in zip(panels.flat, tasks, strict=False):
        of_task = rows_of(folded, task=task, target=target)
        for method in methods:
            colour, style = STYLES.get(method, (f"C{METHODS.index(method)}", "-"))
            rows = sorted(rows_of(of_task, method=method), key=lambda row: row["n_components"] or 0)
            values = [row[score] for row in rows]
            if method == RAW and values:
                axes.axhline(values[0], color=colour, linestyle=style, linewidth=1, label=method)
            else:
                sizes = [row["n_components"] for row in rows]
                axes.plot(sizes, values, style, marker=".", color=colour, label=method)
        axes.set_xscale("log")
        axes.set_xticks(SIZES, map(str, SIZES))
        axes.set_xlim(SIZES[0] / 1.1, SIZES[-1] * 1.1)
        axes.minorticks_off()
        axes.tick_params(labelsize=7)
        axes.set_title(f"{task}, {target}" if target else task, fontsize=8)
        axes.set_ylabel(of_task[0]["measure"], fontsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels.flat[len(tasks) :]:
        axes.remove()
    figure = panels.flat[0].figure
    handles = {}
    for axes in figure.axes:
        lines, labels = axes.get_legend_handles_labels()
        handles |= dict(zip(labels, lines, strict=True))
    names = [method for method in methods if method in handles]
    style = {"frameon": False, "fontsize": 8, "ncols": len(names)}
    figure.legend([handles[n] for n in names], names, loc="outside upper center", **style)
    figure.supxlabel(f"components ({score})", fontsize=8)


def tasks_wanted(arguments, parser):
    """Return the names of the tasks whose data are present. Print which others are left out."""
    names = []
    for name in arguments.tasks or TASKS:
        file = file_of(name)
        if file is None or (arguments.data and (arguments.data / file).exists()):
            names.append(name)
        elif arguments.tasks:
            parser.error(f"{name} needs a folder --data with {file}. Got {arguments.data} instead.")
        else:
            print(f"{name} is left out: it needs a folder --data with {file}.")
    return names


def make_arguments():
    """Return the parser of the options."""
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, help="folder of tables/, mnist.npz, avatars64.npz")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, help="default: all with data")
    parser.add_argument("--seeds", type=int, default=5, help="number of splits (default: 5)")
    parser.add_argument("--methods", nargs="+", choices=METHODS, help="default: all installed")
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, help="numbers of components")
    parser.add_argument("--n-jobs", type=int, default=1, help="splits at a time (default: 1)")
    parser.add_argument("--epochs", type=int, help="epochs of the autoencoders (default: theirs)")
    parser.add_argument("--device", help="device of the autoencoders (default: theirs)")
    parser.add_argument("--resume", action="store_true", help="use kept results")
    parser.add_argument("--kept", action="store_true", help="only report kept results")
    parser.add_argument("--quick", action="store_true", help="few epochs, seeds, sizes; own file")
    return parser


def main():
    parser = make_arguments()
    arguments = parser.parse_args()
    if arguments.quick:
        vars(arguments).update(QUICK)
    print_machine()
    names = tasks_wanted(arguments, parser)
    methods = arguments.methods or METHODS
    if UMAP in methods and not find_spec("umap"):
        print("UMAP is left out: umap-learn is not installed.")
        methods = [method for method in methods if method != UMAP]
    methods = tuple(method for method in METHODS if method in methods)
    for name in names:
        most = divide(load(name, arguments.data), 0).most_components
        if skipped := [str(size) for size in arguments.sizes if size > most]:
            print(f"{name}: PCA has at most {most} components; {', '.join(skipped)} left out.")
    cells = [(name, seed) for name in names for seed in range(arguments.seeds)]
    parts = Parallel(n_jobs=arguments.n_jobs, verbose=5)(
        delayed(measure)(*cell, methods, arguments) for cell in cells
    )
    print()
    rows = [row for part in parts for row in part]
    if not rows:
        parser.error("--kept found nothing. Run without it first.")
    folded = over_seeds(rows)
    report_tasks(folded)
    classes, grades = rows_of(rows, grades=False), rows_of(rows, grades=True)
    gained, gained_r2, spent = gains(classes), gains(grades), times(rows)
    for lines, title in ((gained, "accuracy"), (gained_r2, "R2")):
        if lines:
            report_gains(lines, title)
    report_times(spent, tasks_of(rows))
    name = "features" + ("-quick" if arguments.quick else "")
    settings = {**settings_of(arguments), "seeds": arguments.seeds, "sizes": list(arguments.sizes)}
    save(name, gained, **settings, scores=folded, gains_r2=gained_r2, times=spent)
    panels = (-(-len(dict.fromkeys((r["task"], r["target"]) for r in folded)) // N_COLUMNS), 4)
    for score in SCORES:
        save_picture(
            name + ("" if score == SCORES[0] else f"-{score}"),
            lambda axes, score=score: draw(axes, folded, score),
            width=10.0,
            height=0.8 + 1.9 * panels[0],
            panels=panels,
        )


if __name__ == "__main__":
    main()
