from fixtures_models import prepare

__all__ = ["prepare"]
