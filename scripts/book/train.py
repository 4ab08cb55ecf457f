"""Trains what is not trained yet, several runs side by side, each on one core; whatever is interrupted goes on."""

import json
import os
import re
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import h5py

from experiments import ROOT, Run, load_recipe, yaml_value
from machine import machine

COMMAND = os.environ.get("SAMPLING_FREE", str(ROOT / ".build/release/sampling-free"))
THREADS = 1
LIMIT = 120  # Points kept of a run's curve.


def command(*arguments):
    environment = {**os.environ, "OMP_NUM_THREADS": str(THREADS)}
    return subprocess.run(
        [COMMAND, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)


def options(settings):
    return [part for key, value in settings.items() for part in ("--set", f"{key}={yaml_value(value)}")]


@dataclass
class Task:
    """A run with all thresholders it is to be evaluated with."""

    run: Run
    thresholders: list
    label: str


class Trainer:
    def __init__(self, book, folder=None):
        self.book = book
        self.folder = folder or ROOT / "runs/book" / book.mode

    def path(self, run):
        return self.folder / run.key

    def result(self, run):
        """None where the run is not finished."""
        file = self.path(run) / "result.json"
        return json.loads(file.read_text()) if file.exists() else None

    def evaluation(self, run, thresholder):
        file = self.path(run) / f"evaluation-{slug(thresholder)}.json"
        return json.loads(file.read_text()) if file.exists() else None

    def tasks(self, pattern=""):
        """Unfinished ones, experiment by experiment; a run that several experiments share comes once, under the first one's
        name. Only those whose label `pattern` is found in."""
        tasks = {}
        for experiment in self.book.experiments.values():
            for label, run in experiment.runs():
                label = f"{experiment.name}, {run.setup.data}: {label}, seed {run.seed}"
                if re.search(pattern, label):
                    task = tasks.setdefault(run.key, Task(run, [], label))
                    task.thresholders += [t for t in experiment.thresholders_of(run) if t not in task.thresholders]
        return [task for task in tasks.values() if not self.is_done(task)]

    def is_done(self, task):
        result = self.result(task.run)
        return result is not None and (
            result["diverged"] is not None or all(self.evaluation(task.run, t) for t in task.thresholders))

    def train_all(self, jobs, pattern=""):
        tasks = self.tasks(pattern)
        backbones = {setup.data: setup for setup in (task.run.setup for task in tasks) if setup.backbone}
        print(f"{len(tasks)} runs to do, {jobs} at a time", flush=True)
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(self.train_backbone, backbones.values()))
            start = time.monotonic()
            futures = {pool.submit(self.train, task): task for task in tasks}
            for done, future in enumerate(as_completed(futures), 1):
                left = (time.monotonic() - start) / done * (len(tasks) - done)
                print(f"[{bar(done, len(tasks))}] {futures[future].label}: {future.result()}; "
                      f"{left // 60:.0f}:{left % 60:02.0f} left", flush=True)

    def backbone(self, setup):
        """The weights that a data set's runs start from."""
        return self.folder / f"backbone-{setup.data}" / "backbone.h5"

    def train_backbone(self, setup):
        weights = self.backbone(setup)
        if weights.exists():
            return
        print(f"backbone of {setup.data}: training", flush=True)
        self.run_training(weights.parent, setup.recipe, setup.backbone["set"], 0)
        part = weights.with_suffix(".part")
        shutil.copy(weights.parent / "weights.h5", part)
        with h5py.File(part, "r+") as file:
            del file["model/" + setup.backbone["drop"]]
        part.rename(weights)

    def train(self, task):
        run = task.run
        folder = self.path(run)
        if self.result(run) is None:
            start = {"train.initialWeights": str(self.backbone(run.setup))} if run.setup.backbone else {}
            diverged = self.run_training(folder, run.setup.recipe, {**run.settings, **start}, run.seed)
            write(folder / "result.json", summary(folder, diverged, run))
        if self.result(run)["diverged"] is not None:
            return "diverged"
        for thresholder in task.thresholders:
            self.evaluate(run, thresholder)
        return f"AP50 {self.evaluation(run, task.thresholders[0])['ap50']:.3f}"

    def run_training(self, folder, recipe, settings, seed):
        """Returns why training diverged, or None."""
        folder.mkdir(parents=True, exist_ok=True)
        settings = {
            **settings, "seed": seed, "train.output": str(folder), "train.logEvery": 1000,
            "train.checkpointEvery": 100}
        resume = ["--resume"] if (folder / "checkpoint.h5").exists() else []
        done = command("train", recipe, *options(settings), *resume)
        if done.returncode == 0:
            return None
        found = re.search(r"training diverged at step (\d+): (.*)", done.stderr + done.stdout)
        if not found:
            raise SystemExit(f"{folder}: {done.stderr}")
        return {"step": int(found[1]), "reason": found[2]}

    def evaluate(self, run, thresholder):
        if self.evaluation(run, thresholder) is not None:
            return
        settings = {**run.settings, "seed": run.seed, "thresholder": thresholder}
        done = command("evaluate", run.setup.recipe, str(self.path(run) / "weights.h5"), "--json", *options(settings))
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        write(self.path(run) / f"evaluation-{slug(thresholder)}.json", json.loads(done.stdout))


def summary(folder, diverged, run):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if "loss" in line]
    stride = max(1, len(steps) // LIMIT)
    recipe = load_recipe(run.setup.recipe)
    keys = ["step", "classification", "regression", "scale", "gradientNorm"]
    return {
        "wantedSteps": run.settings.get("train.steps", recipe["train"]["steps"]),
        "settings": run.settings, "seed": run.seed, "diverged": diverged, "steps": len(steps),
        "firstLoss": steps[0]["classification"] if steps else None,
        "largestGradient": max((line["gradientNorm"] for line in steps), default=None),
        "lastScale": mean([line["scale"] for line in steps[-20:]]),
        "machine": machine(), "threads": THREADS,
        "curve": [{key: line[key] for key in keys} for line in steps[::stride]],
    }


def mean(values):
    return sum(values) / len(values) if values else None


def slug(value):
    return re.sub(r"[^a-z0-9.]+", "-", yaml_value(value).lower()).strip("-")


def write(path, value):
    part = path.with_suffix(".part")
    part.write_text(json.dumps(value, indent=1, sort_keys=True))
    part.rename(path)


def bar(done, total, width=20):
    filled = width * done // max(1, total)
    return "#" * filled + "." * (width - filled) + f" {done}/{total}"
