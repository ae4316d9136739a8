#!/usr/bin/env python3
"""Compiles catalog/gpus.json from a raw list of GPU facts and the manufacturers' figures beside this file.

Usage: compile.py RAW_GPUS.json > catalog/gpus.json

RAW_GPUS.json holds {"gpus": [...]} where every value is {"v": value, "src": "repository@commit path"}, as gathered
from public lists. The result has one entry per line, so that a change of one GPU is a change of one line, and one
source per value: [value, source key, mark, note]. mark is "derived" (a stated rule made the value) or "conflict"
(sources disagree; the note names the other value).
"""
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

SOURCES = {
    "vendor": "the manufacturer's published specification of the product",
    "llmfit": "github.com/AlexsJones/llmfit@3f44fd3 llmfit-core/src/hardware.rs",
    "hf": "github.com/huggingface/huggingface.js@fe42e6801 packages/tasks/src/hardware*.ts",
    "lightning": "github.com/Lightning-AI/pytorch-lightning@7f0c3436cd fabric/utilities/throughput.py",
    "ml-engineering": "github.com/stas00/ml-engineering@744d01e compute/accelerator/README.md",
    "aiconfigurator": "github.com/ai-dynamo/aiconfigurator@095f58a51 systems/*.yaml",
    "llm-analysis": "github.com/cli99/llm-analysis@d841e40 gpu_configs",
    "llm-viewer": "github.com/hahnyuan/LLM-Viewer@472f71f hardwares/hardware_params.py",
    "llmvram": "github.com/fjacquet/llmvram@ace8852 src/data/gpus.json",
    "hmc-tech": "hmc-tech.com GPU pages",
    "topcpu": "topcpu.net GPU pages",
    "gigagpu": "gigagpu.com RTX 4090 page",
    "torchtitan": "github.com/pytorch/torchtitan benchmarks/llama3_h100_202412",
    "vast": "github.com/skypilot-org/skypilot-catalog@01b8cdd catalogs/v8/vast/vms.csv",
    "nebius": "github.com/skypilot-org/skypilot-catalog@0082b04 catalogs/v8/nebius/vms.csv",
    "lambda": "github.com/skypilot-org/skypilot-catalog@0f40703 catalogs/v8/lambda/vms.csv",
    "runpod": "github.com/skypilot-org/skypilot-catalog@01acdfd catalogs/v8/runpod/vms.csv",
    "crusoe": "github.com/dstackai/gpuhunt@3584151 providers/crusoe.py",
    "smi": "nvidia-smi output printed in public repositories and threads",
    "torch": "total memory that PyTorch or llama.cpp prints for the card in public logs and threads",
    "rule-reported": "rule: the label in MiB; 15/16 of it on data-centre cards with GDDR memory, whose error correction is stored in it",
    "rule-usable": "rule: what the driver reports less 256 MiB and 0.5 %, which is what the driver keeps for itself",
    "rule-unified": "rule: Metal lets one process use 2/3 of up to 32 GiB and 3/4 of more; 15/16 on Linux machines with shared memory",
    "rule-rates": "rule: the rate follows from FP32 by the ratio that the architecture publishes",
    "rule-fp32": "rule: FP32 is the listed FP16 shader rate divided by the ratio of the architecture",
    "rule-cores": "rule: tensor cores = CUDA cores / (cores per tensor core of the architecture)",
    "rule-mib": "rule: the driver's figure rounded to whole GiB",
}
# The date of a price; a catalogue without its own date says so by being absent here.
DATES = {"crusoe": "2026-08-19"}

# What nvidia-smi prints as total, in MiB, and what a CUDA process is told, in GiB (the lowest seen).
REPORTED_MIB = {
    "A10": 23028, "A10G": 23028, "L4": 23034, "RTX 2080 Ti 11GB": 11264, "H20": 97871, "RTX 4000 SFF Ada": 20475, "RTX 3070": 8192,
    "GTX 1050 Ti": 4096, "RTX 4000 Ada": 20475, "RTX 2000 Ada": 16380, "RTX 3060 Mobile": 6144, "RTX 4060 Ti 16GB": 16380,
}
USABLE_GIB = {"RTX 3090": 23.58, "A100 SXM4 80GB": 79.15, "A100 PCIe 80GB": 79.15, "T4": 14.56, "H100 SXM5 80GB": 79.10, "L40S": 44.39}
USABLE_MIB = {"RTX 4090": 24077, "RTX 5090": 32111}

ECC_GDDR = {"A2", "A10", "A40", "L4", "L20", "L40", "L40S", "T4"}
SKIP = {
    "A100", "H100", "H200", "V100", "MI300", "RTX 4070 Mobile", "RTX 4080 Mobile", "RTX 4090 Mobile", "Apple MacBook Neo",
    "H100 SXM 96GB HBM2e (Meta Grand Teton)", "Rubin SXM", "MI455X",
}
RENAME = {"RTX Titan": "Titan RTX", "V100 PCIe 16/32GB": "V100 PCIe", "PRO W7800": "Radeon PRO W7800", "PRO W7900": "Radeon PRO W7900",
          "R9700 PRO": "Radeon AI PRO R9700"}
# Memory sizes that the raw list gets wrong or mixes with other products.
OPTIONS = {
    "RTX 2080 Ti": [11], "RTX A5000": [24], "RTX 4090D": [24], "V100 PCIe 16/32GB": [16, 32], "Radeon Pro VII": [16], "RX 7600 XT": [16],
    "Apple M1 Max": [32, 64], "Apple M1 Pro": [16, 32], "Apple M1 Ultra": [64, 128], "Apple M2 Ultra": [64, 128, 192], "Apple M2 Pro": [16, 32],
    "Apple M4 Pro": [24, 48, 64], "RTX 3080": [10, 12], "RTX 3060": [12, 8], "A800": [80, 40], "Ryzen AI Max+ 395": [128, 96, 64], "Arc B60": [24],
    "RTX 4060 Ti": [16, 8],
}
# Where a name alone means one of several sizes; otherwise the smallest, so that nobody is promised memory.
DEFAULTS = {"A100 SXM4 80GB", "V100 SXM2 16GB", "RTX 3060 12GB", "RTX 3080 10GB", "GH200 96GB", "A100 PCIe 80GB", "A800 80GB", "RTX 4060 Ti 8GB", "Ryzen AI Max+ 395 128GB"}
IDS = {
    "A100 SXM4 80GB": "a100-80gb", "A100 SXM4 40GB": "a100-40gb", "H100 SXM5 80GB": "h100-sxm", "H100 PCIe 80GB": "h100-pcie",
    "H100 NVL 94GB": "h100-nvl", "H200 SXM 141GB": "h200-sxm", "H200 NVL 141GB": "h200-nvl", "V100 SXM2 16GB": "v100-16gb",
    "V100 SXM2 32GB": "v100-32gb", "RTX PRO 6000 Blackwell Server": "rtx-pro-6000-server", "RTX PRO 6000 WS": "rtx-pro-6000",
    "RTX PRO 4500 WS": "rtx-pro-4500", "GB10": "gb10", "RTX 4090D": "rtx-4090d",
}
ALIASES = {
    "A100 SXM4 80GB": ["A100", "A100 SXM"], "A100 SXM4 40GB": ["A100", "A100 SXM"], "A100 PCIe 80GB": ["A100 80GB PCIe", "A100 PCI"],
    "H100 SXM5 80GB": ["H100", "H100 SXM", "H100 80GB HBM3"], "H200 SXM 141GB": ["H200", "H200 SXM"], "GH200 96GB": ["GH200"],
    "V100 SXM2 16GB": ["V100", "V100 SXM", "V100 SXM2"], "V100 SXM2 32GB": ["V100", "V100 SXM", "V100 SXM2"],
    "GB10": ["DGX Spark"], "Ryzen AI Max+ 395": ["Strix Halo", "Radeon 8060S"], "RTX PRO 6000 WS": ["RTX PRO 6000 Blackwell", "RTX PRO 6000 Blackwell Workstation"],
    "RTX PRO 6000 Max-Q": ["RTX PRO 6000 Blackwell Max-Q Workstation"], "RTX PRO 5000": ["RTX PRO 5000 Blackwell"],
    "RTX PRO 4500 WS": ["RTX PRO 4500 Blackwell"], "RTX PRO 4000": ["RTX PRO 4000 Blackwell"], "RTX Titan": ["RTX Titan"],
    "Arc B60": ["Arc Pro B60"], "Arc B50": ["Arc Pro B50"], "PRO W7800": ["PRO W7800", "W7800"], "PRO W7900": ["PRO W7900", "W7900"],
    "R9700 PRO": ["R9700", "R9700 PRO"], "RTX 4090D": ["RTX 4090 D"], "P40": ["Tesla P40"],
}


def key_of(source):
    for needle, key in (
        ("llmfit", "llmfit"), ("huggingface.js", "hf"), ("pytorch-lightning", "lightning"), ("ml-engineering", "ml-engineering"),
        ("aiconfigurator", "aiconfigurator"), ("llm-analysis", "llm-analysis"), ("LLM-Viewer", "llm-viewer"), ("llmvram", "llmvram"),
        ("DERIVED", "rule-rates"), ("hmc-tech", "hmc-tech"), ("topcpu", "topcpu"), ("gigagpu", "gigagpu"), ("torchtitan", "torchtitan"), ("vast/", "vast"),
        ("nebius/", "nebius"), ("lambda/", "lambda"), ("runpod/", "runpod"), ("crusoe", "crusoe"), ("torch/vLLM", "torch"), ("vLLM log", "torch"),
    ):
        if needle in source:
            return key
    return None


def slug(name):
    return re.sub(r"-+", "-", re.sub(r"[^a-z0-9]+", "-", name.lower().replace("+", "-plus"))).strip("-")


def number(value):
    value = float(value)
    return int(value) if value == int(value) else round(value, 4)


def raw(entry, field):
    """The raw [value, source, mark, note] of a field, or None."""
    fact = entry.get(field)
    if not isinstance(fact, dict) or key_of(fact["src"]) is None:
        return None
    value = fact.get("v", fact.get("v_fp32acc"))
    key = key_of(fact["src"])
    if "conflict" in fact:
        return [number(value), key, "conflict", fact["conflict"]]
    return [number(value), key, "derived"] if key.startswith("rule") else [number(value), key]


def vendor_facts():
    facts = {}
    with open(os.path.join(HERE, "vendor-facts.csv"), encoding="utf-8") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                name, *values = line.rstrip("\n").split("|")
                facts[name] = dict(zip(("cores", "bandwidth", "fp32", "fp16", "fp8"), (number(v) if v else None for v in values)))
    return facts


def merge(raw_fact, vendor_value):
    """The manufacturer decides; a public list that says something else by more than 2 % is noted, not hidden."""
    if vendor_value is None:
        return raw_fact
    if raw_fact is None or abs(raw_fact[0] / vendor_value - 1) <= 0.02:
        return [vendor_value, "vendor"]
    return [vendor_value, "vendor", "conflict", f"{raw_fact[1]} lists {raw_fact[0]}"]


def arch_of(entry):
    arch = entry.get("arch") or {"Apple": "Apple GPU", "AMD": "RDNA2"}.get(entry["vendor"], "")
    return {"Blackwell DC": "Blackwell", "RDNA3.5 (Strix Halo)": "RDNA3.5"}.get(arch, arch)


# Ratio of the FP16 shader rate that Hugging Face lists to FP32.
FP16_TO_FP32 = {"Ampere (GA100)": 4, "Hopper": 4, "Turing": 2, "Volta": 2, "Ampere (GA10x)": 1, "Ada": 1, "Apple GPU": 1}
CORES_PER_TENSOR_CORE = {"Volta": 8, "Turing": 8, "Ampere (GA100)": 16, "Ampere (GA10x)": 32, "Ada": 32, "Hopper": 32, "Blackwell": 32, "Ampere (Orin)": 32}


def rates(entry, facts, name, arch):
    out = {}
    out["fp32"] = merge(raw(entry, "fp32"), facts.get("fp32"))
    listed = entry.get("hf_fp16_tflops_nontensor_listed")
    geforce = name.startswith(("GTX", "RTX")) and re.match(r"(GTX|RTX) \d{4}", name) and " Ada" not in name
    if out["fp32"] is None and listed and arch != "Hopper":
        ratio = FP16_TO_FP32.get(arch, 1 if geforce or name.startswith("RTX PRO") else 2 if entry["vendor"] in ("AMD", "Intel") else None)
        if ratio and not arch.startswith("CDNA"):
            out["fp32"] = [number(listed / ratio), "rule-fp32", "derived"]
    out["tf32"] = raw(entry, "tf32")
    fp16 = merge(raw(entry, "fp16_tc_dense") or raw(entry, "fp16_tc_dense_fp32acc"), facts.get("fp16"))
    fp32 = out["fp32"][0] if out["fp32"] else None
    professional = not geforce and name.startswith(("RTX", "Quadro RTX", "A2", "A10", "Titan RTX", "T10"))
    if fp16 is None and raw(entry, "bf16_tc_dense"):
        fp16 = [raw(entry, "bf16_tc_dense")[0], "rule-rates", "derived"]
    if fp16 is None and fp32 and name.startswith(("GTX", "RTX", "Quadro RTX", "A2", "A10", "A40", "L", "T", "Titan")):
        factor = {"Turing": 8 if professional else 4, "Ampere (GA10x)": 4 if professional else 2, "Ada": 4 if professional else 2,
                  "Blackwell": 4 if professional else 2}.get(arch)
        if factor and not name.startswith("GTX"):
            fp16 = [number(fp32 * factor), "rule-rates", "derived"]
    if fp16 is None and listed and arch != "Hopper" and entry["vendor"] != "NVIDIA":
        fp16 = [number(listed), "hf"]
    out["fp16"] = fp16
    # GeForce cards multiply FP16 at double rate when they also accumulate in FP16.
    if fp16 and geforce and arch in ("Turing", "Ampere (GA10x)", "Ada", "Blackwell") and not name.startswith("GTX"):
        out["fp16_fp16acc"] = [number(fp16[0] * 2), "rule-rates", "derived"]
    out["bf16"] = raw(entry, "bf16_tc_dense")
    if out["bf16"] is None and fp16 and entry["vendor"] == "NVIDIA" and arch.startswith(("Ampere", "Ada", "Hopper", "Blackwell")):
        out["bf16"] = [fp16[0], "rule-rates", "derived"]
    out["fp8"] = merge(raw(entry, "fp8_dense"), facts.get("fp8"))
    if out["fp8"] is None and fp16 and arch in ("Ada", "Hopper") or (out["fp8"] is None and fp16 and arch == "Blackwell"):
        out["fp8"] = [number(fp16[0] * 2), "rule-rates", "derived"]
    out["int8"], out["int4"], out["fp4"] = raw(entry, "int8_dense"), raw(entry, "int4_dense"), raw(entry, "fp4_dense")
    return {kind: fact for kind, fact in out.items() if fact}


def memory(entry, name, full_name, label, option_count):
    arch = arch_of(entry)
    unified = bool(entry.get("unified_memory")) or name.startswith(("Ryzen", "Jetson")) or name == "GB10" or entry["vendor"] == "Apple"
    out = {"unified": True} if unified else {}
    if unified:
        share = (2 / 3 if label <= 32 else 3 / 4) if entry["vendor"] == "Apple" else 15 / 16
        out["usable_mib"] = [int(label * 1024 * share), "rule-unified", "derived"]
        return out
    reported = raw(entry, "vram_mib_reported") if option_count == 1 or abs(entry.get("vram_mib_reported", {}).get("v", 0) / 1024 - label) < 1 else None
    if full_name in REPORTED_MIB:
        reported = [REPORTED_MIB[full_name], "smi"]
    if reported is None:
        reported = [int(label * 1024 * (15 / 16 if name in ECC_GDDR else 1)), "rule-reported", "derived"]
    out["reported_mib"] = reported
    if full_name in USABLE_MIB:
        out["usable_mib"] = [USABLE_MIB[full_name], "torch"]
    elif full_name in USABLE_GIB:
        out["usable_mib"] = [int(USABLE_GIB[full_name] * 1024), "torch"]
    else:
        out["usable_mib"] = [int(reported[0] * 0.995) - 256, "rule-usable", "derived"]
    return out


def prices(entry):
    out = []
    for price in entry.get("cloud_usd_per_h", []):
        key = key_of(price["src"])
        for kind, field in (("on-demand", "usd_per_gpu_h"), ("on-demand", "usd"), ("spot", "spot")):
            if price.get(field) is not None:
                out.append([price[field], price["provider"], kind, DATES.get(key), key])
    return out


def compute_capability(entry):
    found = re.match(r"\d+\.\d", entry.get("compute_capability") or "")
    return found.group(0) if found else None


def options(entry):
    sizes = OPTIONS.get(entry["name"]) or ([entry["vram_gib"]] if entry.get("vram_gib") else entry.get("vram_gib_options") or [])
    return [number(size) for size in sizes]


def compile_entry(entry, label, sizes, facts_by_name):
    raw_name = entry["name"]
    name = RENAME.get(raw_name, raw_name)
    full_name = name if len(sizes) == 1 or re.search(r"\d+GB$", name) else f"{name} {label}GB"
    facts = facts_by_name.get(full_name) or facts_by_name.get(f"{name} {label}GB") or facts_by_name.get(name) or facts_by_name.get(raw_name) or facts_by_name.get(f"{raw_name} {label}GB") or {}
    if raw_name == "RTX 2080 Ti":
        facts = facts_by_name["RTX 2080 Ti 11GB"]
    base_id = IDS.get(raw_name)
    ident = base_id or slug(full_name)
    if ident.startswith("apple-"):
        ident = ident[len("apple-"):]
    arch = arch_of(entry)
    out = {"id": ident, "name": full_name, "vendor": entry["vendor"]}
    if ALIASES.get(raw_name):
        out["aliases"] = ALIASES[raw_name]
    if full_name in DEFAULTS or (len(sizes) > 1 and label == min(sizes) and not any(d.startswith(f"{name} ") and d[len(name) + 1:-2].isdigit() for d in DEFAULTS)):
        out["default"] = True
    if arch:
        out["architecture"] = arch
    if entry["vendor"] == "NVIDIA" and compute_capability(entry):
        out["compute_capability"] = compute_capability(entry)
    sources = {key_of(s) for s in entry["sources"]} - {None}
    label_source = next((s for s in ("hf", "ml-engineering", "aiconfigurator", "llmfit", "llmvram") if s in sources), "vendor")
    out["memory_gib"] = [label, "vendor" if raw_name in OPTIONS else label_source]
    out.update(memory(entry, raw_name, full_name if full_name in REPORTED_MIB or full_name in USABLE_GIB or full_name in USABLE_MIB else f"{name} {label}GB" if f"{name} {label}GB" in REPORTED_MIB else name, label, len(sizes)))
    bandwidth = merge(raw(entry, "bandwidth_gbps"), facts.get("bandwidth"))
    if bandwidth:
        out["bandwidth_gbs"] = bandwidth
    out["tflops"] = rates(entry, facts, name, arch)
    if not out["tflops"]:
        del out["tflops"]
    if facts.get("cores"):
        out["cores"] = [facts["cores"], "vendor"]
        if arch in CORES_PER_TENSOR_CORE and not name.startswith(("GTX", "P")):
            out["tensor_cores"] = [facts["cores"] // CORES_PER_TENSOR_CORE[arch], "rule-cores", "derived"]
    for field, source in (("pcie_gbs", "pcie_gbps_unidir"), ("nvlink_gbs", "nvlink_gbps_unidir")):
        if raw(entry, source):
            out[field] = raw(entry, source)
    if entry.get("tdp_w"):
        out["tdp_w"] = [number(entry["tdp_w"]), "hf" if "hf" in sources else "aiconfigurator"]
    if entry.get("release_year"):
        out["year"] = [number(entry["release_year"]), "hf"]
    if entry.get("msrp_usd_hf_list"):
        out["price_usd"] = [number(entry["msrp_usd_hf_list"]), "hf"]
    if prices(entry) and (len(sizes) == 1 or label == sizes[0]):
        out["rental_usd_per_hour"] = prices(entry)
    return out


# Well-known GPUs that the raw list lacks: name, vendor, architecture, compute capability, GiB, TDP, year. The manufacturer's figures.
EXTRA = [
    ("A10G", "NVIDIA", "Ampere (GA10x)", "8.6", 24, 300, 2021), ("RTX A4500", "NVIDIA", "Ampere (GA10x)", "8.6", 20, 200, 2021),
    ("Quadro RTX 8000", "NVIDIA", "Turing", "7.5", 48, 295, 2018), ("Quadro RTX 6000", "NVIDIA", "Turing", "7.5", 24, 295, 2018),
    ("RTX 3050", "NVIDIA", "Ampere (GA10x)", "8.6", 8, 130, 2022), ("RX 7600", "AMD", "RDNA3", None, 8, 165, 2023),
]


def extra_entry(name, vendor, arch, capability, label, watts, year, facts):
    out = {"id": slug(name), "name": name, "vendor": vendor, "architecture": arch}
    if capability:
        out["compute_capability"] = capability
    out["memory_gib"] = [label, "vendor"]
    out.update(memory({"vendor": vendor, "arch": arch}, name, name, label, 1))
    out["bandwidth_gbs"] = [facts["bandwidth"], "vendor"]
    out["tflops"] = rates({"vendor": vendor, "arch": arch}, facts, name, arch)
    out["cores"] = [facts["cores"], "vendor"]
    if vendor == "NVIDIA":
        out["tensor_cores"] = [facts["cores"] // CORES_PER_TENSOR_CORE[arch], "rule-cores", "derived"]
    out["tdp_w"], out["year"] = [watts, "vendor"], [year, "vendor"]
    return out


def main():
    with open(sys.argv[1], encoding="utf-8") as stream:
        entries = json.load(stream)["gpus"]
    facts = vendor_facts()
    compiled = []
    for entry in entries:
        if entry["name"] in SKIP:
            continue
        sizes = options(entry)
        compiled += [compile_entry(entry, size, sizes, facts) for size in sizes]
    compiled += [extra_entry(*extra, facts[extra[0]]) for extra in EXTRA]
    compiled.sort(key=lambda gpu: (gpu["vendor"], gpu["id"]))
    seen = set()
    for gpu in compiled:
        if gpu["id"] in seen:
            sys.exit(f"two entries have the id {gpu['id']}")
        seen.add(gpu["id"])
    used = json.dumps(compiled)
    print("{")
    print('"schema": "plimsoll.gpu-catalog/1",')
    print('"sources": {')
    print(",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in SOURCES.items() if f'"{k}"' in used))
    print('},\n"gpus": [')
    print(",\n".join(json.dumps(gpu, separators=(",", ":")) for gpu in compiled))
    print("]\n}")


main()
