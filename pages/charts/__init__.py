"""Charts as inline SVG, a kind a module; colours come from the page's stylesheet alone."""
