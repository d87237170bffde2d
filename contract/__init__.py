"""The shared vocabulary: values, the store, rollout, the task runtime; light libraries only.

Names are imported from their own modules, so that an error class loads neither task runner nor store.
"""
