"""What is compared with what, and what the outcome is wanted to be."""
import json
import os
import statistics
from dataclasses import dataclass, field

from worker import Worker, largest_difference, ratios, take_turns


@dataclass
class Side:
    """A work's command. Its numbers are checked against those of the side named `like`."""
    name: str
    command: list
    like: str = None


@dataclass
class Goal:
    """A number of the outcome with a bound from below or above."""
    name: str
    measure: callable  # of the workers by name
    least: float = None
    most: float = None

    def is_met(self, value):
        return value >= self.least if self.least is not None else value <= self.most

    def bound(self):
        return f"at least {self.least:g}" if self.least is not None else f"at most {self.most:g}"


def seconds(name, over, under, **bounds):
    """The median over rounds of one side's seconds over another's."""
    return Goal(name, lambda sides: statistics.median(ratios(sides[over], sides[under])), **bounds)


def memory(name, over, under, **bounds):
    return Goal(name, lambda sides: sides[over].peak_megabytes() / sides[under].peak_megabytes(), **bounds)


def throughput(name, side, reference, **bounds):
    """Operations a second of one side over another's, round by round."""
    def measure(sides):
        operations = sides[side].results["flops"][0] / sides[reference].results["flops"][0]
        return operations * statistics.median(ratios(sides[reference], sides[side]))
    return Goal(name, measure, **bounds)


@dataclass
class Comparison:
    title: str
    sides: list
    goals: list = field(default_factory=list)

    def run(self, options):
        """Prints a table of all sides against the first, then the goals. Returns the goals' rows."""
        clock = ", processor time" if options.clock == "cpu" else ""
        print(f"\n{self.title}, threads: {options.threads}{clock}", flush=True)
        workers = {side.name: Worker(side.name, side.command, options.threads) for side in self.sides}
        take_turns(list(workers.values()), options.rounds, options.clock)
        first = next(iter(workers.values()))
        print(f"  {'':28s} {'seconds':>8s} {'ratio':>6s} {'lowest':>7s} {'highest':>8s} {'peak MB':>8s}  difference")
        for side in self.sides:
            worker = workers[side.name]
            relative = ratios(worker, first)
            other = largest_difference(workers[side.like].results, worker.results) if side.like else None
            print(f"  {side.name:28s} {worker.seconds:8.4f} {statistics.median(relative):6.2f} {min(relative):7.2f} "
                  f"{max(relative):8.2f} {worker.peak_megabytes():8.0f}" + ("" if other is None else f"  {other:.1e}"))
        rows = []
        for goal in self.goals:
            value = goal.measure(workers)
            rows.append((self.title, goal.name, value, goal.bound(), goal.is_met(value)))
            print(f"  {goal.name}: {value:.3g}, wanted {goal.bound()}: {'met' if goal.is_met(value) else 'MISSED'}", flush=True)
        for worker in workers.values():
            worker.close()
        return rows


def markdown(rows):
    lines = ["| work | compared | measured | wanted | |", "| --- | --- | --- | --- | --- |"]
    for title, name, value, bound, met in rows:
        lines.append(f"| {title} | {name} | {value:.3g} | {bound} | {'met' if met else '**missed**'} |")
    return "\n".join(lines)
