#!/usr/bin/env python3
"""Spreads a `vmpolicy` command over a Ray cluster, a shard a task, and joins what comes out.

    pip install ray
    python3 on_ray.py --shards 8 --out all.json -- tune policy.yaml --trace fleet.csv

What is written is what one run of the same command prints with --format json, byte for byte. The policy and the
recordings have to be at the same paths on every node, and `vmpolicy` of the same version.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import ray


@ray.remote(num_cpus=1)
def shard(command: list[str], index: int, count: int) -> bytes:
    """The result of one shard. What it says on standard error comes with the exception, where it fails."""
    ran = subprocess.run(
        [*command, "--shard", f"{index}/{count}", "--threads", "1", "--format", "json"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if ran.returncode != 0:
        raise RuntimeError(f"shard {index}/{count}: exit status {ran.returncode}: {ran.stderr.decode()}")
    return ran.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vmpolicy", default="vmpolicy", help="the program [default: vmpolicy]")
    parser.add_argument("--shards", type=int, required=True, help="how many; more than there are processors is fine")
    parser.add_argument("--address", default=None, help="the cluster [default: this machine, for as long as it takes]")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="where the joined result goes")
    parser.add_argument("command", nargs="+", help="backtest or tune, and its arguments, after `--`")
    args = parser.parse_args()

    ray.init(address=args.address, include_dashboard=False, log_to_driver=False)
    command = [args.vmpolicy, *args.command]
    tasks = [shard.remote(command, index, args.shards) for index in range(1, args.shards + 1)]
    try:
        results = ray.get(tasks)
    except ray.exceptions.RayTaskError as error:
        print(error.cause if error.cause else error, file=sys.stderr)
        return 1
    finally:
        ray.shutdown()

    with tempfile.TemporaryDirectory() as folder:
        files = []
        for index, result in enumerate(results, start=1):
            files.append(pathlib.Path(folder, f"{index}.json"))
            files[-1].write_bytes(result)
        merged = subprocess.run([args.vmpolicy, "merge", *files], capture_output=True, check=False)
    sys.stderr.buffer.write(merged.stderr)
    if merged.returncode == 0:
        args.out.write_bytes(merged.stdout)
    return merged.returncode


if __name__ == "__main__":
    sys.exit(main())
