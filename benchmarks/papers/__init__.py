"""Figures beside those of papers, by trainings without the pipeline."""
