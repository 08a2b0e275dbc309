"""The web UI: queries, figures, components and pages."""
