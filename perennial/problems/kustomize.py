"""What adds a problem to a cluster: two kustomizations in its folder.

An overlay then names that folder in one line under `components`: the problem file reaches Airflow
and the stages, and the problem gets its own service.
"""

from pathlib import Path

from contract.problem import read_problem

FILES = ("problem.yaml", "expectations.json")
NAMESPACES = ("perennial", "perennial-tasks")

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


def write_kustomizations(folder: Path, name: str | None = None) -> None:
    """Write both files into a problem's folder; `name` is its own, else that of the folder."""
    problem = name or folder.name
    replicas = read_problem(folder / "problem.yaml").serving.replicas
    files = ", ".join(f"{problem}.{file}={file}" for file in FILES if (folder / file).exists())
    generators = "\n".join(
        GENERATOR.format(namespace=namespace, files=files) for namespace in NAMESPACES
    )
    serving = folder / "serving"
    serving.mkdir(exist_ok=True)
    (folder / "kustomization.yaml").write_text(
        COMPONENT.format(generators=generators), encoding="utf-8"
    )
    text = SERVING.format(name=problem, replicas=replicas)
    (serving / "kustomization.yaml").write_text(text, encoding="utf-8")


def is_added(folder: Path) -> bool:
    """Tell whether an overlay can name the folder."""
    folders = (folder, folder / "serving")
    return all((one / "kustomization.yaml").is_file() for one in folders)
