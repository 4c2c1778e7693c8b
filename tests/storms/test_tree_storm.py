"""Eight processes insert, move, plan, archive, load and read, in one tree and in many."""

import json
import subprocess
import sys

import pytest

from billing_hierarchy.embedded.folders import project_folder
from tests.integration.accounts.forests import Forest

PROCESSES = 8


def grow(vendor, trees):
    """Make trees of 21 accounts each."""
    with vendor.seen():
        forest = Forest(vendor)
        for top in range(trees):
            forest.load(
                {
                    f"{top}": None,
                    **{f"{top}.{n}": f"{top}" for n in range(4)},
                    **{f"{top}.{n}.{m}": f"{top}.{n}" for n in range(4) for m in range(4)},
                }
            )


def storm(vendor, times, *options):
    """Let all processes loose; return what they did, and what any of them complained of."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.storms.writer", vendor.slug, str(seed), str(times),
             *options],
            cwd=project_folder(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in range(PROCESSES)
    ]  # fmt: skip
    answers, complaints = [], []
    for process in processes:
        output, errors = process.communicate(timeout=600)
        if process.returncode:
            complaints.append(errors.strip().splitlines()[-1])
        else:
            answers.append(json.loads(output))
            complaints += answers[-1]["seen"]
    done = {}
    for answer in answers:
        for what, count in answer["done"].items():
            done[what] = done.get(what, 0) + count
    return done, complaints


@pytest.mark.parametrize(
    ("trees", "times"),
    [
        (1, 12),
        (6, 12),
        pytest.param(1, 250, marks=pytest.mark.long),
        pytest.param(40, 250, marks=pytest.mark.long),
    ],
)
def test_trees_stay_whole(committed_vendor, trees, times):
    grow(committed_vendor, trees)

    done, complaints = storm(committed_vendor, times)

    assert complaints == []
    assert committed_vendor.faults() == []
    assert sum(done.values()) == PROCESSES * times
    assert "TreeBusy" not in done
    assert {"insert", "move", "archive", "load", "read", "plan applied"} <= set(done)


def test_without_the_lock_they_would_not(committed_vendor):
    """Prove that the storm is one: the same without the lock leaves faults or deadlocks."""
    grow(committed_vendor, 1)

    _done, complaints = storm(committed_vendor, 25, "--without-lock")

    assert complaints or committed_vendor.faults()
