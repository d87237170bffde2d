"""What the manifests, the images and the code that runs pods must spell alike.

`tests/k8s/test_shared_names.py` holds the YAML files and the Containerfile to these values.
"""

STAGE_USER = 10_001
"""The user and group of every stage's container; what it reads must be readable by it."""
HTTP_PORT = 8080
"""Of Airflow's API server and of every model service."""
READS_SOURCES = "perennial/reads-sources"
"""The label of the pods that a network policy lets out to databases."""
USES_KUBERNETES_API = "perennial/kubernetes-api"
"""The label of the pods that a network policy lets out to the Kubernetes API."""
