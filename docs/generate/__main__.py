"""Write every generated page: `python -m docs.generate`."""

from docs.generate import PAGES

for path, text in PAGES.items():
    path.write_text(text(), encoding="utf-8")
