"""The problem file: one YAML file says everything that is particular to a problem."""

from contract.problem.channels import Alerts, Channel, EmailChannel, SlackChannel, WebhookChannel
from contract.problem.columns import ColumnOverride, Features, Join
from contract.problem.gates import Beats, BeatsChampion, Gates
from contract.problem.metric import Metric, Value
from contract.problem.model import (
    Checks,
    Labels,
    Models,
    Problem,
    Quarantine,
    Split,
    Target,
)
from contract.problem.monitoring import MinimumLabels, Monitoring, Retraining
from contract.problem.read import (
    problem_files,
    problem_folders,
    read_problem,
    read_problem_text,
)
from contract.problem.resources import Resources
from contract.problem.sources import Source

__all__ = [
    "Alerts",
    "Beats",
    "BeatsChampion",
    "Channel",
    "Checks",
    "ColumnOverride",
    "EmailChannel",
    "Features",
    "Gates",
    "Join",
    "Labels",
    "Metric",
    "MinimumLabels",
    "Models",
    "Monitoring",
    "Problem",
    "Quarantine",
    "Resources",
    "Retraining",
    "SlackChannel",
    "Source",
    "Split",
    "Target",
    "Value",
    "WebhookChannel",
    "problem_files",
    "problem_folders",
    "read_problem",
    "read_problem_text",
]
