"""Pictures as SVG, drawn here: links and names in them, no script, the same on page and in file."""
