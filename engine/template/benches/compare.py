#!/usr/bin/env python3
"""Renders the realistic project files with Python's Jinja2 and with windlass, in turns, and prints the medians and their ratio.

    compare.py BINARY [ROUNDS] [PASSES]

BINARY is what `cargo bench -p windlass-template --bench speed --no-run` built. Both run as whole processes in one thread; both are warm:
templates are compiled before the clock starts (Python) or in the first passes (windlass). Needs the packages of ../tests/oracle/projects.py.
"""
import json
import pathlib
import statistics
import subprocess
import sys
import time

ORACLE = pathlib.Path(__file__).parent.parent / "tests" / "oracle"
sys.path.insert(0, str(ORACLE))


def python_passes(passes):
    import jinja2
    import kluctl

    work = []
    answers = json.loads((ORACLE / "projects.json").read_text())
    for project, results in answers.items():
        folder = ORACLE / "projects" / project
        files = {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}
        contexts = json.loads(files.pop("contexts.json"))
        environments = [kluctl.environment(context, files) for context in contexts]
        for name, rows in results.items():
            for environment, row in zip(environments, rows):
                if row[0] is not None and "{" in files[name]:
                    work.append(environment.get_template("/p/" + name))
    times = []
    for _ in range(passes):
        start, cpu = time.perf_counter(), time.thread_time()
        for template in work:
            template.render()
        times.append(((time.perf_counter() - start) * 1000, (time.thread_time() - cpu) * 1000))
    times = times[passes // 10 + 1:]
    wall, cpu = (statistics.median(column) for column in zip(*times))
    return {"renders": len(work), "passes": len(times), "median_ms": wall, "cpu_ms": cpu}


def run(command):
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().splitlines()[-1])


def main():
    if sys.argv[1] == "--python":
        print(json.dumps(python_passes(int(sys.argv[2]))))
        return
    rounds, passes = (int(sys.argv[2]) if len(sys.argv) > 2 else 5), (sys.argv[3] if len(sys.argv) > 3 else "40")
    ratios = []
    for _ in range(rounds):
        ours, theirs = run([sys.argv[1], passes]), run([sys.executable, __file__, "--python", passes])
        ratios.append((theirs["median_ms"] / ours["median_ms"], theirs["cpu_ms"] / ours["cpu_ms"]))
        print(f"windlass {ours['median_ms']:.2f} ms, CPU {ours['cpu_ms']:.2f} ({ours['renders']} renders); "
              f"Jinja2 {theirs['median_ms']:.2f} ms, CPU {theirs['cpu_ms']:.2f} ({theirs['renders']}): {ratios[-1][0]:.1f} x, CPU {ratios[-1][1]:.1f} x")
    wall, cpu = (statistics.median(column) for column in zip(*ratios))
    print(f"median {wall:.1f} x, CPU {cpu:.1f} x")


if __name__ == "__main__":
    main()
