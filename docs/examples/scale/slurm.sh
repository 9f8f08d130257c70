#!/bin/sh
# A Slurm job array, a shard a task:
#
#   mkdir -p shards
#   job=$(sbatch --parsable --array=1-64 slurm.sh tune policy.yaml --trace fleet.csv --islands 64)
#   sbatch --dependency=afterok:$job --wrap 'vmpolicy merge shards/*.json > all.json'
#
#SBATCH --job-name=vmpolicy
#SBATCH --cpus-per-task=1
#SBATCH --output=shards/%a.log
set -eu
shard=$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT
# Whole or not at all: a task that was killed leaves nothing for `merge` to read.
vmpolicy "$@" --shard "$shard" --threads 1 --format json > "shards/$SLURM_ARRAY_TASK_ID.part"
mv "shards/$SLURM_ARRAY_TASK_ID.part" "shards/$SLURM_ARRAY_TASK_ID.json"
