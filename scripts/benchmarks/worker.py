"""A process that does one work whenever it is told to, and many of them taking turns."""
import json
import os
import statistics
import subprocess
import time


class Process:
    """A process that answers a line with a line, as Sources/bench and peer.py do."""

    def __init__(self, name, command, threads):
        self.name = name
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        while (line := self.answer()) != "ready":
            print(f"  [{name}] {line}")

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended with status {self.process.wait()}")
        return line.strip()

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def run(self, clock, repeats=1):
        """Seconds of one run, the mean of `repeats`."""
        return json.loads(self.ask(f"run {repeats}" if repeats > 1 else "run"))[clock]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Worker(Process):
    """One side of a comparison. Has run once, to be checked, before anything is timed."""

    # Works shorter than this are repeated until they take so long.
    LEAST_SECONDS = 0.1

    def __init__(self, name, command, threads):
        super().__init__(name, command, threads)
        start = time.monotonic()
        self.results = json.loads(self.ask("check"))
        self.first_seconds = time.monotonic() - start
        self.repeats = max(1, round(self.LEAST_SECONDS / self.first_seconds))
        self.times = []

    def take_turn(self, clock):
        self.times.append(self.run(clock, self.repeats))

    @property
    def seconds(self):
        return statistics.median(self.times)

    def peak_megabytes(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith("VmHWM"):
                    return int(line.split()[1]) / 1024


# What a comparison's turns may take together.
LONGEST_SECONDS = 120


def take_turns(workers, rounds, clock):
    """Two rounds at least, fewer than asked for where one takes long."""
    affordable = int(LONGEST_SECONDS / sum(worker.first_seconds for worker in workers))
    for round in range(max(2, min(rounds, affordable))):
        # Every other round backwards, so that nobody always follows the same neighbour.
        for worker in workers if round % 2 == 0 else workers[::-1]:
            worker.take_turn(clock)


def ratios(over, under):
    """By round: one worker's seconds over another's."""
    return [a / b for a, b in zip(over.times, under.times)]


def largest_difference(ours, theirs):
    """Relative to the largest value, over all that both report; None where that is nothing."""
    worst = None
    for name in (ours.keys() & theirs.keys()) - {"flops"}:
        pairs = list(zip(ours[name], theirs[name]))
        scale = max(abs(b) for _, b in pairs) or 1
        worst = max(worst or 0, max(abs(a - b) for a, b in pairs) / scale)
    return worst
