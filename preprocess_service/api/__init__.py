"""HTTP: thin routes over the pipeline."""
