"""The endpoints: thin, over the pipeline and the jobs."""
