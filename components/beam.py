"""How Beam runs on this machine."""

import apache_beam as beam

# Prism, the DirectRunner's first choice, is a download.
BEAM_ARGS = ("--runner=apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner",)


def local_pipeline() -> beam.Pipeline:
    """A pipeline in this process."""
    return beam.Pipeline(argv=list(BEAM_ARGS))
