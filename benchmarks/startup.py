#!/usr/bin/env python3
"""Measures start to exit of one plan in every way the tool can be delivered, and what opening a huge checkpoint costs.

Usage: benchmarks/startup.py [ROUNDS]     (default 40; prints Markdown; Linux x64; needs the .NET SDK and a C linker)

Builds into a temporary folder: the native file (dotnet publish -r linux-x64), the portable build, the portable tool package and the native tool
package, both installed with dotnet tool install. Rounds are interleaved, so that a busy moment of the machine hits all of them; time is wall time of the
whole process, memory its peak resident set, both as the kernel reports them to the parent (wait4).
"""
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CLI = os.path.join(ROOT, "src", "Plimsoll.Cli")
RID = "linux-x64"
PLAN = ["plan", "llama-3.1-8b", "--gpu", "rtx-4090"]


def dotnet(*arguments):
    done = subprocess.run(["dotnet", *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    warnings = sum(": warning " in line for line in done.stdout.splitlines())
    if done.returncode != 0 or warnings:
        sys.exit(f"dotnet {' '.join(arguments)}: {warnings} warnings, exit code {done.returncode}\n{done.stdout[-3000:]}")


def build(folder):
    """The commands to measure, by name, and the size of what is delivered."""
    def at(name):
        return os.path.join(folder, name)

    dotnet("publish", "-c", "Release", "-r", RID, CLI, "-o", at("native"))
    files = sorted(os.listdir(at("native")))
    if files != ["plimsoll"]:
        sys.exit(f"the native build is not one file: {files}")
    dotnet("build", "-c", "Release", CLI, "-o", at("portable"))
    dotnet("pack", "-c", "Release", CLI, "-o", at("packages"))
    dotnet("tool", "install", "Plimsoll", "--tool-path", at("tool"), "--source", at("packages"))
    dotnet("pack", "-c", "Release", CLI, "-o", at("native-packages"), f"-p:ToolPackageRuntimeIdentifiers={RID}")
    dotnet("pack", "-c", "Release", CLI, "-o", at("native-packages"), f"-p:ToolPackageRuntimeIdentifiers={RID}", "-r", RID)
    dotnet("tool", "install", "Plimsoll", "--tool-path", at("native-tool"), "--source", at("native-packages"))
    packages = sum(os.path.getsize(os.path.join(at("native-packages"), name)) for name in os.listdir(at("native-packages")))
    package = sum(os.path.getsize(os.path.join(at("packages"), name)) for name in os.listdir(at("packages")))
    return {
        "native file": ([at("native/plimsoll")], os.path.getsize(at("native/plimsoll"))),
        "native tool package": ([at("native-tool/plimsoll")], packages),
        "portable, `dotnet plimsoll.dll`": (["dotnet", at("portable/plimsoll.dll")], None),
        "portable tool package": ([at("tool/plimsoll")], package),
    }


def run(command):
    """Milliseconds from start to exit, milliseconds of processor time, and peak resident bytes."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    elapsed = (time.perf_counter() - started) * 1e3
    if status != 0:
        sys.exit(f"{' '.join(command)} failed with status {status}")
    return elapsed, (usage.ru_utime + usage.ru_stime) * 1e3, usage.ru_maxrss * 1024


def measure(commands, rounds):
    results = {name: [] for name in commands}
    for index in range(rounds + 2):
        for name, command in commands.items():
            sample = run(command)
            if index >= 2:  # two rounds to fill the page cache
                results[name].append(sample)
    return results


def write_sparse(path, tensors=500, rows=8192, columns=7328):
    """A safetensors file of 60 GB: a header, and a hole where the data would be."""
    size = rows * columns * 2
    entries = ",".join(
        f'"model.layers.{index}.mlp.down_proj.weight":{{"dtype":"BF16","shape":[{rows},{columns}],"data_offsets":[{index * size},{(index + 1) * size}]}}'
        for index in range(tensors))
    header = ("{" + entries + "}").encode()
    with open(path, "wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + tensors * size)


def describe_machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.processor())
    with open("/proc/meminfo") as file:
        memory = int(file.readline().split()[1]) / 1024 / 1024
    sdk = subprocess.run(["dotnet", "--version"], stdout=subprocess.PIPE, text=True).stdout.strip()
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}, .NET SDK {sdk}; load {os.getloadavg()[0]:.1f} at the start"


def table(results, sizes):
    print("| | size | median | fastest | slowest | processor, median | peak memory |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for name, samples in results.items():
        times = sorted(elapsed for elapsed, _, _ in samples)
        size = f"{sizes[name] / 1e6:.1f} MB" if sizes.get(name) else ""
        busy = statistics.median(processor for _, processor, _ in samples)
        memory = max(peak for _, _, peak in samples) / 1e6
        print(f"| {name} | {size} | {statistics.median(times):.1f} ms | {times[0]:.1f} ms | {times[-1]:.1f} ms | {busy:.1f} ms | {memory:.1f} MB |")


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    folder = tempfile.mkdtemp(prefix="plimsoll-startup-")
    try:
        machine = describe_machine()
        built = build(folder)
        print(f"{machine}. {rounds} interleaved rounds.\n")
        print(f"`plimsoll {' '.join(PLAN)}`, whole process:\n")
        table(measure({name: command + PLAN for name, (command, _) in built.items()}, rounds), {name: size for name, (_, size) in built.items()})
        print("\nOther answers of the native file:\n")
        native = built["native file"][0]
        others = [["--version"], PLAN + ["--json"], PLAN + ["--explain"], ["formats"], ["gpus"]]
        table(measure({f"`{' '.join(arguments)}`": native + arguments for arguments in others}, rounds), {})
        sparse = os.path.join(folder, "sparse.safetensors")
        write_sparse(sparse)
        print("\nA safetensors file of 500 tensors and 60 GB (a header and a hole), native file:\n")
        table(measure({"`inspect sparse.safetensors`": native + ["inspect", sparse]}, rounds), {})
        print(f"\nLoad of the machine at the end: {os.getloadavg()[0]:.1f}.")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
