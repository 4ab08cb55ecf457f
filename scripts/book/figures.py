"""docs/figures/*.svg, drawn from formulas and from docs/results."""

import math
import re

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import results
from experiments import ROOT

FOLDER = ROOT / "docs/figures"
# Okabe and Ito's colours, told apart by colour-blind readers too; lines differ in style as well.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999", "#7F3C8D"]
STYLES = ["-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), "-", "--", "-."]
FIGURES = {}

plt.rcParams.update({
    # Legible at a phone's 360 pixels.
    "figure.figsize": (5.2, 3.6), "font.size": 12, "axes.grid": True, "grid.alpha": 0.3, "lines.linewidth": 2,
    "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False, "legend.fontsize": 10,
    "svg.hashsalt": "book", "savefig.bbox": "tight", "figure.facecolor": "white", "figure.constrained_layout.use": True,
})


def figure(draw):
    FIGURES[draw.__name__.replace("_", "-")] = draw
    return draw


def draw_all():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, draw in FIGURES.items():
        picture = draw()
        if picture is None:
            print(f"{name}: no results yet")
            continue
        picture.savefig(FOLDER / f"{name}.svg", metadata={"Date": None})
        plt.close(picture)


def axes(x, y, **scales):
    picture, ax = plt.subplots()
    ax.set(xlabel=x, ylabel=y, **scales)
    return picture, ax


def style(index):
    return {"color": COLOURS[index % len(COLOURS)], "linestyle": STYLES[index % len(STYLES)]}


# MARK: Formulas

@figure
def gradient_against_probability():
    """|d loss / d logit| of a foreground and a background element."""
    picture, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.4), sharey=True)
    p = np.linspace(1e-4, 1 - 1e-4, 500)
    def focal(p, gamma):
        # -(1-p)^gamma log(p) by the logit, for target 1.
        return (1 - p) ** gamma * ((1 - p) - gamma * p * np.log(p))
    curves = [("cross entropy", lambda p: 1 - p)] + [
        (f"focal, γ = {gamma}", lambda p, gamma=gamma: focal(p, gamma)) for gamma in (0.5, 2, 5)]
    for i, (label, slope) in enumerate(curves):
        left.plot(p, slope(p), label=label, **style(i))
        right.plot(p, slope(1 - p), label=label, **style(i))
    left.set(title="target 1", xlabel="p", ylabel="size of the gradient")
    right.set(title="target 0", xlabel="p")
    left.legend()
    return picture


def printed(chapter, expression):
    """A list of numbers that a chapter prints, and its test checks."""
    text = next((ROOT / "docs").glob(f"{chapter:02d}-*.md")).read_text()
    found = re.search(rf"^{re.escape(expression)}  // => \[(.*)\]$", text, re.MULTILINE)
    if not found:
        raise SystemExit(f"chapter {chapter} does not print {expression}")
    return [float(value) for value in found[1].split(",")]


@figure
def anchors_by_level():
    picture, every = plt.subplots(2, 1, figsize=(5.2, 5.6))
    for ax, title, name in zip(every, ["digit-scenes, 500 scenes", "tree-crowns, 38 tiles"], ["byLevel", "crownsByLevel"]):
        for i, what in enumerate(["all", "foreground"]):
            values = printed(1, f"{name}.{what}")
            bars = ax.bar([x + 0.4 * (i - 0.5) for x in range(3)], values, 0.38, label=what, color=COLOURS[i], hatch=["", "//"][i])
            ax.bar_label(bars, [f"{value:,.0f}" for value in values], fontsize=9)
        ax.set_xticks(range(3), ["P3, every 8 px", "P4, 16 px", "P5, 32 px"])
        ax.grid(axis="x", visible=False)
        ax.set(title=title, ylabel="anchors", yscale="log")
        ax.set_ylim(top=6 * ax.get_ylim()[1])
    every[0].legend(ncols=2)
    return picture


@figure
def remedies():
    """Which part of a detector each remedy changes."""
    places = ["which anchors\nthere are", "which train", "what each\nweighs", "length of the\ngradient", "the start", "inference"]
    rows = [
        ("biased sampling", [1], 2), ("OHEM", [1], 1), ("SSD's mining", [1], 1), ("IoU-balanced", [1], 3),
        ("Focal Loss", [2, 4], 3), ("GHM", [2], 2),
        ("cascade", [0, 5], None), ("anchor-free", [0], None),
        ("Sampling-Free", [3, 4, 5], 0),
    ]
    picture, ax = plt.subplots(figsize=(7.6, 4.4))
    for y, (name, marks, tuned) in enumerate(rows):
        own = name == "Sampling-Free"
        ax.scatter(marks, [y] * len(marks), s=110, color=COLOURS[1 if own else 0], marker="s" if own else "o", zorder=3)
        ax.annotate("–" if tuned is None else str(tuned), (len(places), y), ha="center", va="center")
    ax.set_xticks(range(len(places) + 1), places + ["numbers\nto tune"], fontsize=9)
    ax.set_yticks(range(len(rows)), [name for name, _, _ in rows])
    ax.set_xlim(-0.5, len(places) + 0.5)
    ax.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    for line in (3.5, 5.5, 7.5):
        ax.axhline(line, color="#999999", linewidth=1)
    ax.invert_yaxis()
    for side in ax.spines.values():
        side.set_visible(False)
    return picture


@figure
def weights_of_samplers():
    """Share of the loss' gradient that background of each error gets, for a detector late in training."""
    picture, ax = axes("|p − t|", "weight, relative to cross entropy", yscale="log")
    g = np.linspace(0.005, 0.995, 199)
    ax.plot(g, np.ones_like(g), label="none", **style(0))
    ax.plot(g, 0.75 * g ** 2, label="focal γ = 2, background", **style(1))
    ax.plot(g, (g > 0.6).astype(float) + 1e-9, label="hard: OHEM, SSD", **style(2))
    density = 400 * np.exp(-25 * g) + 1 + 6 * np.exp(-40 * (1 - g))
    ax.plot(g, 1 / (density / density.mean()), label="GHM, for a typical density", **style(3))
    ax.set_ylim(1e-3, 30)
    picture.legend(fontsize=9, loc="outside upper center", ncols=2)
    return picture


@figure
def initial_loss():
    """CE(pi) per foreground anchor."""
    picture, ax = axes("π", "initial loss / foreground anchor", xscale="log", yscale="log")
    pi = np.logspace(-7, -0.3, 300)
    for i, (name, ratio, classes) in enumerate([("digit-scenes", 90.7, 10), ("COCO", 1000, 80)]):
        outputs = ratio * classes
        ax.plot(pi, -np.log(pi) - (outputs - 1) * np.log1p(-pi), label=name, **style(i))
        best = 1 / outputs
        ax.plot([best], [-math.log(best) - (outputs - 1) * math.log1p(-best)], "o", color=COLOURS[i])
        ax.annotate(f"{best:.3g}", (best, -math.log(best) - (outputs - 1) * math.log1p(-best)), textcoords="offset points",
                    xytext=(-4, -16), ha="center", color=COLOURS[i])
    ax.axvline(0.01, color="#999999", linestyle=":", label="RetinaNet's 0.01")
    ax.set_ylim(2, 1e5)
    ax.legend()
    return picture


# MARK: Runs

def curves_of(name, data, mode, runs=None):
    """Run -> points, of one seed."""
    found = {}
    for row in results.read(f"{name}-curves", mode):
        if row["data"] == data and row["seed"] == "0" and (runs is None or row["run"] in runs):
            found.setdefault(row["run"], []).append({k: float(v) for k, v in row.items() if k not in ("data", "run", "seed") and v})
    return found


def smooth(values, width=5):
    return [sum(values[max(0, i - width):i + 1]) / len(values[max(0, i - width):i + 1]) for i in range(len(values))]


def curve_figure(name, panels, runs=None, **scales):
    """A panel for each data set, column and label, one below another: side by side they would be too small for a phone."""
    curves = {data: curves_of(name, data, "quick", runs) for data in dict.fromkeys(data for data, _, _ in panels)}
    if not all(curves.values()):
        return None
    rows = len(panels)
    picture, every = plt.subplots(rows, 1, figsize=(5.2, 2.6 * rows + 1), squeeze=False)
    for ax, (data, column, label) in zip(every[:, 0], panels):
        for i, (run, points) in enumerate(curves[data].items()):
            ax.plot([p["step"] for p in points], smooth([p.get(column, math.nan) for p in points]), label=run, **style(i))
        ax.set(ylabel=label, **scales)
        if len(curves) > 1:
            ax.set_title(data)
    every[-1, 0].set_xlabel("step")
    picture.legend(*every[0, 0].get_legend_handles_labels(), fontsize=9, loc="outside upper center", ncols=2)
    return picture


def losses(data):
    return curve_figure(
        "rates",
        [(data, "classification", "classification loss"), (data, "regression", "regression loss"),
         (data, "gradientNorm", "gradient norm")],
        ["pi 0.5, rate 0.02", "pi 0.01, rate 0.02", "Sampling-Free, rate 0.02", "pi 0.5, rate 0.1"],
        # What diverges leaves the picture, so that the others can be told apart.
        yscale="log", ylim=(0.1, 3000))


@figure
def losses_without_sampling():
    return losses("digit-scenes")


@figure
def losses_without_sampling_trees():
    return losses("tree-crowns")


@figure
def losses_with_imbalance():
    return curve_figure(
        "imbalance", [("digit-scenes", "classification", "classification loss"), ("digit-scenes", "gradientNorm", "gradient norm")],
        ["cross entropy alone", "cross entropy + bias", "cross entropy + scaling", "Sampling-Free", "Focal Loss"],
        yscale="log", ylim=(0.2, 3000))


@figure
def scales_over_training():
    """Of both data sets, whose steps differ."""
    picture, ax = axes("share of the training's steps", "w", yscale="log")
    for i, (data, run) in enumerate((d, r) for r in ("Sampling-Free", "Focal Loss + scaling") for d in ("digit-scenes", "tree-crowns")):
        points = curves_of("ablation", data, "full", [run]).get(run)
        if not points:
            return None
        last = points[-1]["step"]
        ax.plot([p["step"] / last for p in points], smooth([p["scale"] for p in points]), label=f"{run}, {data}", **style(i))
    picture.legend(fontsize=9, loc="outside upper center", ncols=2)
    return picture


@figure
def bias_over_training():
    return curve_figure(
        "bias", [(data, "classification", "classification loss") for data in ("digit-scenes", "tree-crowns")], yscale="log")


def bar_figure(name, column, label, mode="quick"):
    """A bar a run and data set, in per cent; dots are seeds and thresholders."""
    by_data = results.grouped(results.read(name, mode), "data")
    runs = list(dict.fromkeys(row["run"] for rows in by_data.values() for row in rows))
    if not runs:
        return None
    height = 0.8 / len(by_data)
    picture, ax = plt.subplots(figsize=(5.4, 0.3 * len(runs) * len(by_data) + 1.2))
    for i, ((data,), rows) in enumerate(by_data.items()):
        values = [[100 * float(row[column]) for row in rows if row["run"] == run and row[column]] for run in runs]
        places = [y + height * (i - (len(by_data) - 1) / 2) for y in range(len(runs))]
        means = [sum(mine) / len(mine) if mine else 0 for mine in values]
        ax.barh(places, means, height * 0.92, color=COLOURS[i], alpha=0.75, hatch=["", "//"][i], edgecolor="white", label=data)
        for y, mine in zip(places, values):
            ax.plot(mine, [y] * len(mine), "o", color="#000000", markersize=3)
    ax.set_yticks(range(len(runs)), runs)
    ax.invert_yaxis()
    ax.set(xlabel=label)
    ax.grid(axis="y", visible=False)
    if len(by_data) > 1:
        picture.legend(loc="outside upper center", ncols=2)
    return picture


@figure
def sampling_methods():
    return bar_figure("sampling", "ap50", "AP50 (%)")


@figure
def constant_scales():
    return bar_figure("scales", "ap50", "AP50 (%)")


@figure
def bias_sweep():
    return bar_figure("bias", "ap50", "AP50 (%)")


@figure
def bias_imbalance_sweep():
    return bar_figure("bias-imbalance", "ap50", "AP50 (%)")


@figure
def threshold_sweep():
    """AP and AR100 against the threshold; a row a data set."""
    by_data = results.grouped(results.read("thresholds", "full"), "data")
    if not by_data:
        return None
    picture, every = plt.subplots(len(by_data), 2, figsize=(6.4, 2.9 * len(by_data)), squeeze=False)
    for row, ((data,), rows) in zip(every, by_data.items()):
        for i, ((run,), mine) in enumerate(results.grouped(rows, "run").items()):
            groups = {name: group for (name,), group in results.grouped(mine, "thresholder").items()}
            fixed = sorted((float(name.rsplit("-", 1)[1]), name) for name in groups if name.startswith("fixed"))
            for ax, column in zip(row, ["ap", "ar100"]):
                ax.plot([t for t, _ in fixed], [percent(groups[name], column) for _, name in fixed], marker="o", label=run, **style(i))
                ax.axhline(percent(groups["class-adaptive"], column), color=COLOURS[i], alpha=0.5, linestyle=":")
        for ax, title in zip(row, ["AP (%)", "AR100 (%)"]):
            ax.set(xscale="log", xlabel="fixed threshold", ylabel=title, title=data)
    every[0, 0].legend()
    every[0, 1].annotate("dotted: class-adaptive", (0.03, 0.04), xycoords="axes fraction", fontsize=10)
    return picture


def percent(rows, column):
    """The mean over seeds."""
    return 100 * sum(float(row[column]) for row in rows) / len(rows)


@figure
def score_distributions():
    picture, every = plt.subplots(2, 1, figsize=(5.2, 5.6))
    for ax, title, names in zip(every, ["digit-scenes", "tree-crowns"], [("free", "focal"), ("crownFree", "crownFocal")]):
        for i, (label, name) in enumerate(zip(["Sampling-Free", "Focal Loss"], names)):
            values = printed(6, f"distribution({name}Scores)")
            places = [x + 0.4 * (i - 0.5) for x in range(len(values))]
            ax.bar(places, values, 0.38, label=label, color=COLOURS[i], hatch=["", "//"][i])
        ax.set_xticks(range(7), ["less", "$10^{-6}$", "$10^{-5}$", "$10^{-4}$", "0.001", "0.01", "0.1 up"], fontsize=10)
        ax.set(title=title, ylabel="share of all scores (%)")
    every[1].set_xlabel("score")
    every[0].legend()
    return picture


@figure
def ablation_table():
    return bar_figure("ablation", "ap50", "AP50 (%)")


@figure
def full_size():
    return bar_figure("ablation", "ap", "AP (%)", mode="full")
