"""What reading a cluster's Deployments costs: by kubectl, and by Python's clients (decision 0041).

    python -m benchmarks.kubernetes_clients

Each client is installed into an environment of its own, and talks to an HTTP server of this process
that answers as an API server does; so what is measured is the client alone.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import venv
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROUNDS = 7
PATH = "/apis/apps/v1/namespaces/perennial/deployments"
CLIENTS = {
    "kr8s==0.20.15": "import kr8s; api = kr8s.api()\n"
    "for _ in range(N): assert len(list(api.get('deployments', namespace='perennial'))) == 10",
    "lightkube==1.0.1": "from lightkube import Client; client = Client()\n"
    "from lightkube.resources.apps_v1 import Deployment\n"
    "for _ in range(N): assert len(list(client.list(Deployment, namespace='perennial'))) == 10",
    "kubernetes==37.0.2": "from kubernetes import client, config; config.load_kube_config()\n"
    "api = client.AppsV1Api()\n"
    "for _ in range(N): assert len(api.list_namespaced_deployment('perennial').items) == 10",
    "httpx==0.28.1": "import httpx, os; client = httpx.Client()\n"
    f"for _ in range(N): assert len(client.get(os.environ['API'] + '{PATH}').json()['items']) == 10",
}
KUBECTL = ["kubectl", "-n", "perennial", "get", "deployments", "-o", "json"]


def pages() -> dict[str, dict[str, Any]]:
    """Return the documents of the API server: discovery, and ten Deployments."""
    verbs = ["get", "list"]
    kind = {"name": "deployments", "singularName": "deployment", "namespaced": True}
    kind |= {"kind": "Deployment", "verbs": verbs, "shortNames": ["deploy"]}
    version = {"groupVersion": "apps/v1", "version": "v1"}
    group = {"name": "apps", "versions": [version], "preferredVersion": version}
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}}
    spec["template"] = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}}
    deployments = [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": f"d{number}", "namespace": "perennial", "uid": f"u{number}"},
            "spec": spec,
        }
        for number in range(10)
    ]
    resources: dict[str, Any] = {"kind": "APIResourceList", "resources": []}
    return {
        "/version": {"major": "1", "minor": "34", "gitVersion": "v1.34.0"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/api/v1": resources | {"groupVersion": "v1"},
        "/apis": {"kind": "APIGroupList", "groups": [group]},
        "/apis/apps/v1": resources | {"groupVersion": "apps/v1", "resources": [kind]},
        PATH: {"apiVersion": "apps/v1", "kind": "DeploymentList", "items": deployments},
    }


class Handler(BaseHTTPRequestHandler):
    """Answers one request with a document of `pages`."""

    protocol_version = "HTTP/1.1"
    documents = pages()

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        """Answer with the document of the path, or 404."""
        document = self.documents.get(self.path.partition("?")[0].rstrip("/"))
        missing = {"kind": "Status", "code": 404, "reason": "NotFound"}
        body = json.dumps(document or missing).encode()
        self.send_response(200 if document else 404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Print a line for each client and number of requests: CPU and memory, medians."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as name:
        folder, url = Path(name), f"http://127.0.0.1:{server.server_port}"
        kubeconfig = {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": url}}],
            "users": [{"name": "u", "user": {"token": "t"}}],
        }
        (folder / "config").write_text(json.dumps(kubeconfig))
        environment = {
            "API": url,
            "HOME": name,
            "KUBECONFIG": str(folder / "config"),
            "PATH": os.environ["PATH"],
        }
        _measure("kubectl", 1, KUBECTL, environment)
        _measure("python alone", 0, [sys.executable, "-I", "-c", "pass"], environment)
        for requirement, program in CLIENTS.items():
            home = folder / requirement
            venv.create(home, with_pip=True, symlinks=True)
            python = str(home / "bin" / "python")
            install = [python, "-m", "pip", "install", "--quiet", requirement]
            subprocess.run(install, check=True)
            for requests in (0, 1, 12):
                _measure(
                    requirement,
                    requests,
                    [python, "-W", "ignore", "-c", f"N = {requests}\n{program}"],
                    environment,
                )


def _measure(name: str, requests: int, command: list[str], environment: dict[str, str]) -> None:
    usages = [_usage(command, environment) for _ in range(ROUNDS + 1)][1:]  # the first fills caches
    seconds = sorted(usage.ru_utime + usage.ru_stime for usage in usages)[ROUNDS // 2]
    memory = sorted(usage.ru_maxrss for usage in usages)[ROUNDS // 2]
    sys.stdout.write(
        f"{name:20} {requests:3} requests {seconds * 1000:5.0f} ms CPU {memory / 1024:5.0f} MiB\n"
    )


def _usage(command: list[str], environment: dict[str, str]) -> resource.struct_rusage:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return usage


if __name__ == "__main__":
    main()
