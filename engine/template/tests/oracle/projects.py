#!/usr/bin/env python3
"""Writes projects.json: what Python's Jinja2 makes of every file below projects/, with each context of its project.

Needs Jinja2==3.1.6, PyYAML==6.0.3, jsonpath-ng==1.8.0 and python-slugify==8.0.4.
"""
import json
import pathlib

import kluctl

HERE = pathlib.Path(__file__).parent


def rendered(variables, files, name):
    if "{" not in files[name]:
        return [files[name]]
    return kluctl.answer(lambda: kluctl.environment(variables, files).get_template("/p/" + name).render())


def main():
    answers, good = {}, 0
    for folder in sorted(path for path in (HERE / "projects").iterdir() if path.is_dir()):
        files = {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}
        contexts = json.loads(files.pop("contexts.json"))
        results = {name: [rendered(context, files, name) for context in contexts] for name in files}
        good += sum(any(result[0] is not None for result in row) for row in results.values())
        answers[folder.name] = results
    (HERE / "projects.json").write_text(json.dumps(answers, ensure_ascii=False, indent=1) + "\n")
    total = sum(len(results) for results in answers.values())
    print(total, "files,", sum(len(row) for results in answers.values() for row in results.values()), "answers,", good, "files render")


if __name__ == "__main__":
    main()
