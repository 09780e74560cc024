"""How Beam runs on this machine."""

# Prism, the DirectRunner's first choice, is a download.
BEAM_ARGS = ("--runner=apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner",)
