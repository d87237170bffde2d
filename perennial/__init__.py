"""The person's command and the embedded platform of one machine; no lifecycle logic."""
