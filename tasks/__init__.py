"""The stages, a package each; `task.py` is the contract, the modules beside it are pure methods."""
