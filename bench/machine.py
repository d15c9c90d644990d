# SPDX-License-Identifier: MIT
"""What the programs that run benchmarks share: how busy the machine is, a build to measure, and
contenders in processes of their own, bound to the first CPUs, that print key=value."""

import os
import pathlib
import platform
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]


def busy_seconds():
    """Of all CPUs since boot: busy, and all."""
    fields = [int(f) for f in open("/proc/stat").readline().split()[1:]]
    return sum(fields) - fields[3] - fields[4], sum(fields)


def busy_share(seconds):
    busy, total = busy_seconds()
    time.sleep(seconds)
    busy2, total2 = busy_seconds()
    return (busy2 - busy) / max(1, total2 - total)


def wait_until_idle(patience):
    """The share of the machine that others used at the last look."""
    end = time.time() + patience
    share = busy_share(0.5)
    while share > 0.03 and time.time() < end:
        share = busy_share(2)
    return share


def processor():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def environment(threads):
    env = {k: v for k, v in os.environ.items()
           if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "NACRE_ISA", "NACRE_OPT")}
    return env | {"NACRE_BENCH_THREADS": str(threads), "PYTHONDONTWRITEBYTECODE": "1"}


def fields(line):
    """key=value pairs; numbers as numbers, lists of them as lists."""
    out = {}
    for part in line.split():
        key, _, value = part.partition("=")
        try:
            numbers = [float(v) for v in value.split(",")]
            out[key] = numbers if "," in value else numbers[0]
        except ValueError:
            out[key] = value
    return out


def output(command, threads, env):
    """The lines that the program printed, and the seconds from before its start to its end."""
    cpus = sorted(os.sched_getaffinity(0))[:threads]
    start = time.time()
    done = subprocess.run([str(c) for c in command], env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          preexec_fn=lambda: os.sched_setaffinity(0, cpus))
    wall = time.time() - start
    if done.returncode or not done.stdout.strip():
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n"
                 f"{done.stdout}{done.stderr}")
    return [fields(line) for line in done.stdout.splitlines() if "=" in line], wall


def build(folder, *programs):
    configure = ["cmake", "-S", ROOT, "-B", folder, "-DCMAKE_BUILD_TYPE=Release",
                 "-DNACRE_BENCH=ON", "-DNACRE_TESTS=OFF", "-DNACRE_EXAMPLES=OFF"]
    make = ["cmake", "--build", folder, "-j", str(os.cpu_count()), "--target", *programs]
    for command in (configure, make):
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"{done.stdout}\nNacre could not be built")
