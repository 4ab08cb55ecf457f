"""What kind of processor trained a run: its rounding decides how a training that is close to diverging ends."""

import platform
from pathlib import Path

# The widest first.
INSTRUCTIONS = {"avx512bw": "AVX-512", "avx2": "AVX2"}


def machine(cpuinfo=Path("/proc/cpuinfo")):
    """Such as "AMD EPYC (family 25 model 17, AVX-512)"."""
    lines = cpuinfo.read_text().split("\n\n")[0].splitlines() if cpuinfo.exists() else []
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    if "model name" not in fields:
        return platform.machine()
    flags = fields.get("flags", "").split()
    widest = next((name for flag, name in INSTRUCTIONS.items() if flag in flags), "neither AVX2 nor AVX-512")
    return f"{fields['model name']} (family {fields.get('cpu family')} model {fields.get('model')}, {widest})"
