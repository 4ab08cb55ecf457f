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
class Run:
    """One training: what it sets over a recipe, and its seed."""

    recipe: str
    settings: dict
    seed: int

    def key(self, backbone):
        """Names the run's folder, by all that decides the weights: a thresholder does not."""
        settings = {key: value for key, value in self.settings.items() if key != "thresholder"}
        text = json.dumps([load_recipe(ROOT / self.recipe), settings, self.seed, backbone], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass
class Experiment:
    name: str
    columns: list
    # What the runs' settings lie over.
    recipe: str
    # Label -> settings.
    runs: dict
    seeds: list
    # Weights are evaluated with each of them; where there are none, with the run's own.
    thresholders: list = field(default_factory=list)

    def thresholders_of(self, settings):
        return self.thresholders or [settings.get("thresholder", "class-adaptive")]


class Book:
    """The experiments, as a mode trains them."""

    def __init__(self, mode):
        text = yaml.safe_load((ROOT / "docs/experiments.yaml").read_text())
        if mode not in text["modes"]:
            raise SystemExit(f"docs/experiments.yaml: no mode \"{mode}\"; there are {', '.join(text['modes'])}")
        self.mode = mode
        settings = text["modes"][mode]
        self.recipe = settings["recipe"]
        self.backbone = settings.get("backbone")
        every = {
            name: Experiment(
                name=name, columns=entry["columns"], seeds=settings["seeds"],
                recipe=entry.get("recipe", self.recipe),
                runs={label: {**entry.get("common", {}), **(own or {})} for label, own in entry["runs"].items()},
                thresholders=entry.get("thresholders", []))
            for name, entry in text["experiments"].items()
        }
        # Those that tables may name, and those that this mode trains.
        self.all = every
        self.experiments = [e for e in every.values() if mode in text["experiments"][e.name].get("modes", [mode])]


def load_recipe(path):
    """A recipe merged over its bases, as far as telling recipes apart needs it."""
    recipe = yaml.safe_load(path.read_text())
    base = recipe.pop("base", None)
    return merge(load_recipe(path.parent / base), recipe) if base else recipe


def merge(below, above):
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return {**below, **{key: merge(below.get(key), value) for key, value in above.items()}}
