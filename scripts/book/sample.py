"""`make book-sample`: trains a few of the book's runs anew, in a folder of its own, and holds them against the committed results.
Which ones, and how far they may be from these, is said in docs/experiments.yaml."""

import json
import math
import re
import shutil
import sys

import h5py
import yaml

import results
from experiments import ROOT
from train import Trainer, slug

FOLDER = ROOT / ".build/book-sample"


def check(book, jobs):
    """Exit status: 1 where a run is outside its band."""
    sample = yaml.safe_load((ROOT / "docs/experiments.yaml").read_text())["sample"]
    shutil.rmtree(FOLDER, ignore_errors=True)
    trainer = Trainer(book, FOLDER)
    runs = list(chosen(book, sample))
    titles = "|".join(re.escape(title(*entry)) for entry in runs)
    trainer.train_all(jobs, f"^({titles})$")
    comparisons = [c for data in sample["start"] for c in start(trainer, data, sample)]
    comparisons += [c for entry in runs for c in comparisons_of(trainer, *entry, sample)]
    for comparison in comparisons:
        print(comparison)
    failed = [comparison for comparison in comparisons if not comparison.holds]
    print(f"{len(runs)} runs, {len(comparisons)} comparisons, {len(failed)} outside their bands")
    for comparison in failed:
        print(comparison, file=sys.stderr)
    return 1 if failed else 0


class Comparison:
    """A number of today's run, the committed one, and how far they may be apart as a share of the latter."""

    def __init__(self, what, now, committed, share):
        self.text = f"{what}: {now:.6g}, committed {committed:.6g} ± {share * committed:.2g}"
        self.holds = abs(now - committed) <= share * committed

    def __str__(self):
        return self.text + ("" if self.holds else "  OUTSIDE")


def title(experiment, label, run):
    return f"{experiment.name}, {run.setup.data}: {label}, seed {run.seed}"


def chosen(book, sample):
    """Experiment, label and run of each one to be trained; a name that there is not is an error."""
    for name, by_data in sample["runs"].items():
        experiment = book.experiments[name]
        runs = {(run.setup.data, label): run for label, run in experiment.runs() if run.seed == sample["seed"]}
        for data, labels in by_data.items():
            for label in labels:
                if (data, label) not in runs:
                    raise SystemExit(f"docs/experiments.yaml: sample: {name} has no run \"{label}\" on {data}")
                yield experiment, label, runs[data, label]


def start(trainer, data, sample):
    """What is known before the first update, from random weights: nothing has amplified the processor's rounding yet."""
    folder = trainer.folder / f"backbone-{data}"
    first = json.loads((folder / "metrics.jsonl").read_text().splitlines()[0])
    with h5py.File(folder / "weights.h5") as file:
        foreground = file.attrs["statistics_foreground_counts"]
        anchors = file.attrs["statistics_anchor_count"]
    now = {
        "N": anchors, "N_f": foreground.sum(), "pi": foreground.sum() / (anchors * len(foreground)),
        "first classification loss": first["classification"], "first regression loss": first["regression"],
    }
    for what, committed in sample["start"][data].items():
        yield Comparison(f"{data}, {what}", now[what], committed, sample["bands"]["start"])


def comparisons_of(trainer, experiment, label, run, sample):
    what, result, bands = title(experiment, label, run), trainer.result(run), sample["bands"]
    rows = [
        row for row in results.read(experiment.name, trainer.book.mode)
        if (row["data"], row["run"], row["seed"]) == (run.setup.data, label, str(run.seed))]
    committed = float(rows[0]["firstLoss"])
    yield Comparison(f"{what}, first loss", result["firstLoss"], committed, bands["first loss"])
    yield Comparison(f"{what}, diverged", result["diverged"] is not None, bool(rows[0]["divergedAt"]), 0)
    if result["diverged"]:
        return
    numbers = [point[key] for point in result["curve"] for key in ("classification", "regression", "scale", "gradientNorm")]
    yield Comparison(f"{what}, numbers that are not finite", sum(not math.isfinite(n) for n in numbers), 0, 0)
    names = {slug(thresholder): thresholder for thresholder in experiment.thresholders_of(run)}
    for row in rows:
        now = trainer.evaluation(run, names[row["thresholder"]])["ap50"]
        if row["ap50"]:
            yield Comparison(f"{what}, {row['thresholder']}, AP50", now, float(row["ap50"]), bands["AP50"])
