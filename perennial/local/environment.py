"""The environment of every process that the platform starts.

A child inherits a short list of names from the shell, never the shell's whole environment: a
person's bytecode switches, virtual environments and cloud credentials would change what runs.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from contract.errors import InvalidRequest
from contract.problem import problem_files, read_problem
from contract.runtime.environment import NO_TELEMETRY, common_environment
from contract.runtime.prefork.protocol import VARIABLE
from perennial.local import credentials as secret
from perennial.local.credentials import BUCKET, REGION, Credentials
from perennial.local.extra_components import component_variables
from perennial.local.home import Home, write_private
from perennial.local.ports import LOOPBACK

# What a process needs of its surroundings. PYTHONDONTWRITEBYTECODE is left out on purpose: with it
# no bytecode of our own sources is ever kept, and each stage compiles its imports again.
INHERITED = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ"),
    *("TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
)
WEBHOOK = "PERENNIAL_WEBHOOK"
"""An address that gets every message to an owner, whichever problem it is about."""
MARK = "PERENNIAL_PLATFORM"
"""Set in every process of the platform to its folder; finds processes that lost their parent."""


def inherited(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables that children inherit of `environment`, by default this process's own."""
    source = os.environ if environment is None else environment
    kept = {name: source[name] for name in INHERITED if name in source}
    # glibc gives each thread an arena of its own and seldom gives it back; our threads mostly wait.
    return {"MALLOC_ARENA_MAX": "2"} | kept


def product_environment(
    home: Home, ports: Mapping[str, int], credentials: Credentials
) -> dict[str, str]:
    """Return the variables of the store, the keys and the folders: those of the command itself."""
    store = store_environment(ports, credentials.store_access_key, credentials.store_secret_key)
    return store | {
        "PERENNIAL_HOME": str(home.folder),
        "PERENNIAL_PATH": str(home.project),
        "PERENNIAL_PYTHON": str(home.python),
        "PERENNIAL_PROBLEMS": home.problem_path,
        "PERENNIAL_RUNNER": "local",
        "PERENNIAL_SIGNING_KEY": str(secret.signing_key_file(home)),
        "PERENNIAL_VERIFY_KEYS": str(secret.verify_keys_folder(home)),
        "PERENNIAL_API_KEY": str(secret.api_key_file(home)),
        "PERENNIAL_API_KEY_SHA256": credentials.api_key_sha256,
        **NO_TELEMETRY,
    }


def service_environment(
    home: Home, ports: Mapping[str, int], credentials: Credentials
) -> dict[str, str]:
    """Return the variables of a model service: no private key, and the API key's digest alone."""
    variables = inherited() | product_environment(home, ports, credentials)
    for name in ("PERENNIAL_SIGNING_KEY", "PERENNIAL_API_KEY"):
        del variables[name]
    return variables | {MARK: str(home.folder), "PYTHONPATH": str(home.project)}


def stage_server_environment(home: Home) -> dict[str, str]:
    """Return the variables of the stages' prefork server: those that every stage has, no secret."""
    return common_environment(inherited(), str(home.project)) | {MARK: str(home.folder)}


def airflow_environment(
    home: Home, ports: Mapping[str, int], credentials: Credentials
) -> dict[str, str]:
    """Return the variables of Airflow's processes; `dags/stage/operator.py` picks what a stage gets."""
    url = f"http://{LOOPBACK}:{ports['airflow']}"
    settings = {
        "CORE__DAGS_FOLDER": str(home.project / "dags"),
        "CORE__PLUGINS_FOLDER": str(home.project / "plugins"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        # Stages at once: as many as a small machine has cores. An idle worker that has had its
        # first task holds 60 MB, and the whole platform is to idle below 1 GB.
        "CORE__PARALLELISM": "2",
        "CORE__FERNET_KEY": credentials.airflow_fernet_key,
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{secret.ADMIN}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(secret.password_file(home)),
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home.airflow / 'airflow.db'}",
        "API__HOST": LOOPBACK,
        "API__PORT": str(ports["airflow"]),
        "API__BASE_URL": url,
        "API__SECRET_KEY": credentials.airflow_api_secret,
        "API_AUTH__JWT_SECRET": credentials.airflow_jwt_secret,
        # The tasks of a scheduler that was killed wait for this look, 5 min by default.
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "15",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "10",
        "SCHEDULER__TASK_QUEUED_TIMEOUT": "600",
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "5",
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        # The supervisor has problems that were edited read at once; this is for whatever else changed.
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
        # A DAG that its file no longer makes goes at that file's next reading, not one of 50 s later.
        "DAG_PROCESSOR__STALE_DAG_THRESHOLD": "10",
        "DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "LOGGING__BASE_LOG_FOLDER": str(home.logs / "airflow"),
        "LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(
            home.logs / "airflow" / "dag_processor"
        ),
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    variables = (
        inherited() | remembered_environment(home) | product_environment(home, ports, credentials)
    )
    variables |= {f"AIRFLOW__{name}": value for name, value in settings.items()}
    variables |= {"AIRFLOW_HOME": str(home.airflow), "PYTHONPATH": str(home.project)}
    variables[VARIABLE] = str(home.warm)
    # setproctitle writes a title over the environment that others can read, and so over the mark.
    return variables | {MARK: str(home.folder), "PYTHONUNBUFFERED": "1", "SPT_NOENV": "1"}


def mentioned_names(home: Home) -> list[str]:
    """Return the names of the environment that the problem files mention, and `WEBHOOK`, sorted.

    A file that does not validate mentions nothing: nothing of it runs either.
    """
    names = {WEBHOOK}
    for file in problem_files(*home.problem_folders).values():
        with contextlib.suppress(InvalidRequest):
            problem = read_problem(file)
            names |= problem.environment_names() | problem.alerts.environment_names()
    return sorted(names)


def remember_environment(home: Home, environment: Mapping[str, str] | None = None) -> None:
    """Store the values that the problems' names have now, so that a later `up` has them too."""
    source = os.environ if environment is None else environment
    variables = remembered_environment(home)
    names = [name for name in mentioned_names(home) if name in source]
    variables |= {name: source[name] for name in names} | component_variables(home)
    write_private(_remembered_file(home), json.dumps(variables, indent=1, sort_keys=True) + "\n")


def remembered_environment(home: Home) -> dict[str, str]:
    """Return the values of the problems' names that an earlier `up` stored."""
    file = _remembered_file(home)
    if not file.exists():
        return {}
    return {str(name): str(value) for name, value in json.loads(file.read_text()).items()}


def _remembered_file(home: Home) -> Path:
    return home.credentials / "sources.json"


def store_environment(
    ports: Mapping[str, int], access_key: str, secret_key: str, bucket: str = BUCKET
) -> dict[str, str]:
    """Return the variables from which a process opens the store."""
    return {
        "PERENNIAL_BUCKET": bucket,
        "AWS_ENDPOINT_URL": f"http://{LOOPBACK}:{ports['store']}",
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret_key,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        # A proxy of the environment would be used for loopback otherwise.
        "NO_PROXY": f"{LOOPBACK},localhost",
        "no_proxy": f"{LOOPBACK},localhost",
    }
