"""Packing objects into tasks, without Spark: python3 packing.py FOLDER_OF_THE_JOB."""

import random
import sys

sys.path.insert(0, sys.argv[1])
from thirdtrail_spark import pack  # noqa: E402


def keys(tasks):
    return [[one["key"] for one in task] for task in tasks]


def objects(sizes):
    return [{"key": key, "bytes": size, "tag": "t"} for key, size in sizes.items()]


def check(sizes, limits, expected):
    assert keys(pack(objects(sizes), *limits)) == expected, keys(pack(objects(sizes), *limits))


# Folders stay whole where they fit, and share a task.
check({"a/1": 4, "a/2": 4, "b/1": 4, "b/2": 4, "c/1": 1}, (10, 99), [["a/1", "a/2"], ["b/1", "b/2", "c/1"]])
# One that does not fit is divided, and what is left of it shares a task.
check({"a/1": 6, "b/1": 6, "b/2": 6, "c/1": 3}, (10, 99), [["a/1"], ["b/1"], ["b/2", "c/1"]])
# One object that is larger than a task is a task.
check({"a/1": 1, "b/1": 99, "c/1": 1}, (10, 99), [["a/1"], ["b/1"], ["c/1"]])
# Objects are counted too, and those without bytes are objects.
check({"a/1": 0, "a/2": 0, "a/3": 0}, (10, 2), [["a/1", "a/2"], ["a/3"]])
# Keys without a folder.
check({"2": 1, "1": 1}, (10, 99), [["1", "2"]])
check({}, (10, 99), [])

chance = random.Random(7)
for _ in range(500):
    folders = ["AWSLogs/%012d/CloudTrail/r-%d/2026/05/%02d/" % (a, r, d) for a in (1, 2) for r in (1, 2) for d in (1, 2, 3)]
    sizes = {chance.choice(folders) + "%d" % name: chance.choice((0, 1, 7, 30, 200)) for name in range(chance.randrange(60))}
    limits = (chance.choice((1, 50, 100, 1000)), chance.choice((1, 5, 1000)))
    made = pack(objects(sizes), *limits)
    every = [key for task in keys(made) for key in task]
    assert sorted(every) == sorted(sizes), "every object is in exactly one task"
    for task in made:
        size = sum(one["bytes"] for one in task)
        assert 0 < len(task) <= limits[1] and (size <= limits[0] or len(task) == 1), (size, len(task), limits)
    # A folder that fits into a task is in one.
    for folder in folders:
        of_folder = [key for key in sizes if key.startswith(folder)]
        if sum(sizes[key] for key in of_folder) <= limits[0] and len(of_folder) <= limits[1]:
            assert sum(any(key in of_folder for key in task) for task in keys(made)) <= 1, folder
    shuffled = objects(sizes)
    chance.shuffle(shuffled)
    assert pack(shuffled, *limits) == made, "the order does not matter"
print("packed")
