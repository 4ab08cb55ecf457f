"""From runs to docs/results/*.csv, and from these to tables."""

import csv
import statistics

from experiments import ROOT, Run
from train import slug

FOLDER = ROOT / "docs/results"
# The classes of digit-scenes that training saw least.
RARE = [7, 8, 9]
FIELDS = [
    "mode", "data", "steps", "run", "thresholder", "seed", "ap", "ap50", "ap75", "ar100", "rareAP", "divergedAt", "firstLoss",
    "largestGradient", "lastScale", "key",
]
CURVE_FIELDS = ["run", "seed", "step", "classification", "regression", "scale", "gradientNorm"]


def write_all(book, trainer):
    """Writes what the runs found here came to. Runs that are not here keep the results they have, as long as they would be
    trained the same way today."""
    for experiment in book.experiments:
        old_rows, old_curves = read(experiment.name), read(f"{experiment.name}-curves")
        rows, curves, missing = [], [], 0
        for label, settings in experiment.runs.items():
            for seed in experiment.seeds:
                run = Run(experiment.recipe, settings, seed)
                result = trainer.result(run)
                if result is not None:
                    rows += list(rows_of(book, trainer, experiment, label, run, result))
                    curves += [{"run": label, "seed": seed, **point} for point in result["curve"]]
                    continue
                mine = (label, str(seed))
                kept = [r for r in old_rows if (r["run"], r["seed"]) == mine and r["key"] == run.key(book.backbone)]
                missing += not kept
                rows += kept
                curves += [r for r in old_curves if kept and (r["run"], r["seed"]) == mine]
        if missing:
            print(f"{experiment.name}: {missing} runs are missing")
        if {row["run"] for row in rows} != set(experiment.runs):
            continue
        write(FOLDER / f"{experiment.name}.csv", FIELDS, rows)
        write(FOLDER / f"{experiment.name}-curves.csv", CURVE_FIELDS, curves)


def rows_of(book, trainer, experiment, label, run, result):
    common = {
        "mode": book.mode, "data": result["data"], "steps": result["wantedSteps"], "run": label, "seed": run.seed,
        "firstLoss": result["firstLoss"], "largestGradient": result["largestGradient"], "lastScale": result["lastScale"],
        "divergedAt": result["diverged"]["step"] if result["diverged"] else None, "key": run.key(book.backbone),
    }
    for thresholder in experiment.thresholders_of(run.settings):
        name = slug(thresholder)
        evaluation = trainer.evaluation(run, thresholder)
        if result["diverged"] or not evaluation:
            yield {**common, "thresholder": name}
            continue
        rare = [evaluation["perClassAP"][j] for j in RARE if j < len(evaluation["perClassAP"])]
        yield {
            **common, "thresholder": name, "ap": evaluation["ap"], "ap50": evaluation["ap50"], "ap75": evaluation["ap75"],
            "ar100": evaluation["ar100"], "rareAP": sum(rare) / len(rare) if rare else None,
        }


def write(path, fields, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fields, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({key: short(row.get(key)) for key in fields})


def short(value):
    if value is None:
        return ""
    return f"{value:.5g}" if isinstance(value, float) else value


def read(name):
    path = FOLDER / f"{name}.csv"
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


# MARK: Tables

def percent(column):
    return lambda rows: spread([100 * float(row[column]) for row in rows if row[column]], 1)


def number(column):
    return lambda rows: spread([float(row[column]) for row in rows if row[column]], None)


def median(column):
    """Where a mean would be that of the one seed that got furthest before it diverged."""
    return lambda rows: f"{statistics.median(float(row[column]) for row in rows if row[column]):.3g}"


def diverged(rows):
    steps = [row["divergedAt"] for row in rows if row["divergedAt"]]
    if not steps:
        return ""
    return f"at step {', '.join(steps)}" if len(rows) == 1 else f"{len(steps)} of {len(rows)}"


def spread(values, digits):
    if not values:
        return "–"
    show = (lambda v: f"{v:.{digits}f}") if digits is not None else (lambda v: f"{v:.3g}")
    mean = show(sum(values) / len(values))
    deviation = statistics.stdev(values) if len(values) > 1 else 0
    return f"{mean} ± {show(deviation)}" if deviation else mean


COLUMNS = {
    "AP": percent("ap"), "AP75": percent("ap75"), "AP50": percent("ap50"), "AR100": percent("ar100"), "rare AP": percent("rareAP"),
    "first loss": number("firstLoss"), "last w": number("lastScale"), "largest gradient": median("largestGradient"),
    "diverged": diverged, "seeds": lambda rows: str(len(rows)),
}
CAPTION = {
    "en": "*{data}, {mode} mode: {steps} steps, seed{s} {seeds}; per cent where AP or AR. [All numbers]({up}results/{name}.csv)*",
    "zh": "*{data}，{mode} 模式：{steps} 步，随机种子 {seeds}；AP、AR 均为百分数。[全部数据]({up}results/{name}.csv)*",
}


def table(experiment, language):
    """A row a run (and thresholder), mean ± standard deviation over seeds."""
    rows = read(experiment.name)
    if not rows:
        return None
    groups = {}
    for row in rows:
        groups.setdefault((row["run"], row["thresholder"]), []).append(row)
    by_threshold = bool(experiment.thresholders)
    names = ["run"] + (["threshold"] if by_threshold else []) + experiment.columns
    lines = [names, ["---"] * (len(names) - len(experiment.columns)) + ["---:"] * len(experiment.columns)]
    for (run, thresholder), group in groups.items():
        lines.append(
            [run] + ([readable(thresholder)] if by_threshold else []) + [COLUMNS[name](group) for name in experiment.columns])
    seeds = sorted({row["seed"] for row in rows}, key=int)
    caption = CAPTION[language].format(
        mode=rows[0]["mode"], data=rows[0]["data"], steps=rows[0]["steps"], s="s" if len(seeds) > 1 else "", seeds=", ".join(seeds),
        up="" if language == "en" else "../", name=experiment.name)
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n\n" + caption


def readable(thresholder):
    return thresholder.replace("fixed-score-", "")
