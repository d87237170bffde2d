"""Write what adds a problem to a cluster: `python k8s/problem.py NAME` makes two files in problems/NAME.

An overlay then names that folder in one line under `components`: the problem file reaches Airflow,
and the problem gets its own service. Of the project's libraries it needs the contract's alone.
"""

import sys
from pathlib import Path

from contract.problem import read_problem

PROBLEMS = Path(__file__).resolve().parent.parent / "problems"

FILES = ("problem.yaml", "expectations.json")

COMPONENT = """\
# Adds this problem to a cluster; an overlay names this folder under `components`.
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources:
  - serving
generatorOptions: {{ disableNameSuffixHash: true }}
configMapGenerator:
{generators}
"""
GENERATOR = """\
  - name: problems
    namespace: {namespace}
    behavior: merge
    files: [{files}]"""
SERVING = """\
# The service of this problem, with the problem's name before all of its names.
namePrefix: {name}-
resources:
  - ../../../k8s/base/serving
labels:
  - pairs: {{ perennial/problem: {name} }}
    includeSelectors: true
    includeTemplates: true
patches:
  - target: {{ kind: Deployment, labelSelector: perennial/track=stable }}
    patch: |-
      - {{ op: replace, path: /spec/replicas, value: {replicas} }}
replacements:
  - source: {{ kind: PodDisruptionBudget, fieldPath: metadata.name }}
    targets:
      - select: {{ kind: Role }}
        fieldPaths: [rules.0.resourceNames.0]
  - source: {{ kind: Service, name: serving-canary, fieldPath: metadata.name }}
    targets:
      - select: {{ kind: Role }}
        fieldPaths: [rules.0.resourceNames.1]
"""


def pieces(folder: Path) -> dict[Path, str]:
    """Return the text of each file that belongs into a problem's folder."""
    name = folder.name
    replicas = read_problem(folder / "problem.yaml").serving.replicas
    files = ", ".join(f"{name}.{file}={file}" for file in FILES if (folder / file).exists())
    generators = "\n".join(
        GENERATOR.format(namespace=namespace, files=files)
        for namespace in ("perennial", "perennial-tasks")
    )
    return {
        folder / "kustomization.yaml": COMPONENT.format(generators=generators),
        folder / "serving" / "kustomization.yaml": SERVING.format(name=name, replicas=replicas),
    }


def main(name: str) -> int:
    """Write the files and return the exit code."""
    folder = PROBLEMS / name
    if not (folder / "problem.yaml").exists():
        sys.stderr.write(
            f"There is no problem {name!r} in {PROBLEMS}; `perennial init` makes one.\n"
        )
        return 2
    for path, text in pieces(folder).items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
