"""Reads docs/experiments.yaml: which runs an experiment has, and what a run is told apart by."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


def yaml_value(value):
    """As the command's --set takes it: one line of YAML, which JSON is."""
    return value if isinstance(value, str) else json.dumps(value)


@dataclass
class Setup:
    """How a mode trains on a data set."""

    data: str
    recipe: str
    # What trains the weights that all runs start from, and the layers that do not; None: they start from random weights.
    backbone: dict | None = None


@dataclass
class Run:
    """One training: what it sets over a recipe, and its seed."""

    setup: Setup
    settings: dict
    seed: int

    @property
    def key(self):
        """Names the run's folder, by all that decides the weights: a thresholder does not."""
        settings = {key: value for key, value in self.settings.items() if key != "thresholder"}
        text = json.dumps([load_recipe(self.setup.recipe), settings, self.seed, self.setup.backbone], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass
class Experiment:
    name: str
    columns: list
    # Label -> settings.
    settings: dict
    # Data set -> what all its runs set below that.
    also: dict
    setups: list
    seeds: list
    # Weights are evaluated with each of them; where there are none, with the run's own.
    thresholders: list = field(default_factory=list)

    def runs(self):
        """(label, run), a data set after the other."""
        for setup in self.setups:
            for label, settings in self.settings.items():
                for seed in self.seeds:
                    yield label, Run(setup, {**self.also.get(setup.data, {}), **settings}, seed)

    def thresholders_of(self, run):
        return self.thresholders or [run.settings.get("thresholder", "class-adaptive")]


class Book:
    """The experiments, as a mode trains them."""

    def __init__(self, mode):
        text = yaml.safe_load((ROOT / "docs/experiments.yaml").read_text())
        if mode not in text["modes"]:
            raise SystemExit(f"docs/experiments.yaml: no mode \"{mode}\"; there are {', '.join(text['modes'])}")
        self.mode = mode
        setups = [Setup(data, **entry) for data, entry in text["modes"][mode].items()]
        self.experiments = {
            name: Experiment(
                name=name, columns=entry["columns"], seeds=text["seeds"], setups=setups,
                also=entry.get("also", {}).get(mode, {}),
                settings={label: {**entry.get("common", {}), **own} for label, own in entry["runs"].items()},
                thresholders=entry.get("thresholders", []))
            for name, entry in text["experiments"].items()
        }


def load_recipe(name):
    """A recipe merged over its bases, as far as telling recipes apart needs it."""
    path = ROOT / name
    recipe = yaml.safe_load(path.read_text())
    base = recipe.pop("base", None)
    return merge(load_recipe(path.parent / base), recipe) if base else recipe


def merge(below, above):
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return {**below, **{key: merge(below.get(key), value) for key, value in above.items()}}
