"""From runs to docs/results/MODE/*.csv, and from these to tables."""

import csv
import math
import statistics

from experiments import ROOT
from train import slug

FOLDER = ROOT / "docs/results"
# The classes of digit-scenes that training saw least.
RARE = [7, 8, 9]
FIELDS = [
    "data", "steps", "run", "thresholder", "seed", "ap", "ap50", "ap75", "ar100", "rareAP", "divergedAt", "firstLoss",
    "largestGradient", "lastScale", "machine", "threads", "key",
]
CURVE_FIELDS = ["data", "run", "seed", "step", "classification", "regression", "scale", "gradientNorm"]


def write_all(book, trainer):
    """Writes what the runs found here came to. Runs that are not here keep the results they have, as long as they would be
    trained the same way today."""
    old_rows, old_curves = recorded(book)
    for experiment in book.experiments.values():
        rows, curves, missing = [], [], 0
        for label, run in experiment.runs():
            names = {"data": run.setup.data, "run": label, "seed": str(run.seed)}
            result = trainer.result(run)
            if result is not None:
                mine, points = list(rows_of(trainer, experiment, run, result)), result["curve"]
            else:
                found = [old_rows.get((run.key, slug(t))) for t in experiment.thresholders_of(run)]
                mine, points = [row for row in found if row], old_curves.get(run.key, [])
                missing += None in found
            rows += [{**row, **names} for row in mine]
            curves += [{**point, **names} for point in points]
        if missing:
            print(f"{experiment.name}: {missing} runs are missing")
        write(experiment.name, book.mode, FIELDS, rows)
        write(f"{experiment.name}-curves", book.mode, CURVE_FIELDS, curves)


def recorded(book):
    """The rows in docs/results by key and thresholder, and the curves by key: experiments share runs."""
    rows, curves = {}, {}
    for name in book.experiments:
        keys = {}
        for row in read(name, book.mode):
            rows[row["key"], row["thresholder"]] = row
            keys[row["data"], row["run"], row["seed"]] = row["key"]
        points = grouped(read(f"{name}-curves", book.mode), "data", "run", "seed")
        curves.update({keys[run]: points[run] for run in points if run in keys})
    return rows, curves


def rows_of(trainer, experiment, run, result):
    common = {
        "steps": result["wantedSteps"], "firstLoss": result["firstLoss"], "largestGradient": result["largestGradient"],
        "lastScale": result["lastScale"], "divergedAt": result["diverged"]["step"] if result["diverged"] else None,
        "machine": result["machine"], "threads": result["threads"], "key": run.key,
    }
    for thresholder in experiment.thresholders_of(run):
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


def write(name, mode, fields, rows):
    if not rows:
        return
    path = FOLDER / mode / f"{name}.csv"
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


def read(name, mode):
    path = FOLDER / mode / f"{name}.csv"
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def grouped(rows, *fields):
    groups = {}
    for row in rows:
        groups.setdefault(tuple(row[field] for field in fields), []).append(row)
    return groups


# MARK: Tables

def percent(column):
    return lambda rows: spread([100 * float(row[column]) for row in rows if row[column]], 1)


def number(column):
    return lambda rows: spread([float(row[column]) for row in rows if row[column]])


def median(column):
    """Where a mean would be that of the one seed that got furthest before it diverged."""
    def show(rows):
        values = [float(row[column]) for row in rows if row[column]]
        return f"{statistics.median(values):.3g}" if values else "–"
    return show


def diverged(rows):
    steps = [row["divergedAt"] for row in rows if row["divergedAt"]]
    if not steps:
        return "–"
    return f"at step {', '.join(steps)}" if len(rows) == 1 else f"{len(steps)} of {len(rows)}"


def spread(values, digits=None):
    """Mean ± standard deviation with so many digits after the point, or three that count."""
    if not values:
        return "–"
    mean, deviation = sum(values) / len(values), statistics.stdev(values) if len(values) > 1 else 0
    if not deviation:
        return f"{mean:.{digits}f}" if digits is not None else f"{mean:.3g}"
    if digits is None:
        digits = max(0, 2 - math.floor(math.log10(abs(mean))))
    return f"{mean:.{digits}f} ± {deviation:.{digits}f}"


COLUMNS = {
    "AP": percent("ap"), "AP75": percent("ap75"), "AP50": percent("ap50"), "AR100": percent("ar100"), "rare AP": percent("rareAP"),
    "first loss": number("firstLoss"), "last w": number("lastScale"), "largest gradient": median("largestGradient"),
    "diverged": diverged,
}
CAPTION = {
    "en": "*{mode} mode: {steps}; seeds {seeds}{backbone}; trained on {machines}; AP and AR in per cent. "
          "[All numbers]({up}results/{mode}/{name}.csv)*",
    "zh": "*{mode} 模式：{steps}；随机种子 {seeds}{backbone}；训练所用机器：{machines}；AP、AR 均为百分数。"
          "[全部数据]({up}results/{mode}/{name}.csv)*",
}
BACKBONE = {"en": ", all from one backbone a data set", "zh": "，每个数据集的实验都从同一个骨干网络出发"}
MACHINE = {"en": "{machine} with OMP_NUM_THREADS={threads}", "zh": "{machine}，OMP_NUM_THREADS={threads}"}
STEPS = {"en": "{data} {steps} steps", "zh": "{data} {steps} 步"}


def table(experiment, mode, language):
    """A row a run (and thresholder), columns for each data set that has all runs, mean ± standard deviation over seeds."""
    by_data = complete(experiment, mode)
    if not by_data:
        return None
    columns = [
        (data, name) for data, groups in by_data.items() for name in experiment.columns
        if any(COLUMNS[name](group) != "–" for group in groups.values())]
    by_threshold = bool(experiment.thresholders)
    lines = [["run"] + ["threshold"] * by_threshold + [f"{data}<br>{name}" for data, name in columns]]
    lines += [["---"] * (1 + by_threshold) + ["---:"] * len(columns)]
    for run, thresholder in dict.fromkeys(key for groups in by_data.values() for key in groups):
        cells = [COLUMNS[name](by_data[data].get((run, thresholder), [])) for data, name in columns]
        lines.append([run] + [readable(thresholder)] * by_threshold + cells)
    rows = [row for groups in by_data.values() for group in groups.values() for row in group]
    seeds = {row["seed"] for row in rows}
    machines = sorted({MACHINE[language].format(**row) for row in rows})
    steps = [STEPS[language].format(data=data, steps=next(iter(groups.values()))[0]["steps"]) for data, groups in by_data.items()]
    caption = CAPTION[language].format(
        mode=mode, steps=", ".join(steps), seeds=", ".join(sorted(seeds, key=int)), machines="; ".join(machines),
        backbone=BACKBONE[language] if any(setup.backbone for setup in experiment.setups) else "",
        up="" if language == "en" else "../", name=experiment.name)
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n\n" + caption


def complete(experiment, mode):
    """Data set -> (run, thresholder) -> rows, of data sets that have results of all runs."""
    by_data = {data: grouped(rows, "run", "thresholder") for (data,), rows in grouped(read(experiment.name, mode), "data").items()}
    return {data: groups for data, groups in by_data.items() if {run for run, _ in groups} == set(experiment.settings)}


def readable(thresholder):
    return thresholder.replace("fixed-score-", "")
