"""The server against its own description: what schemathesis asks, fitting and not, and what comes back."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks

CASES = 100
SOME = settings(max_examples=CASES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
UNIMPLEMENTED = 501
"""What a signature of another kind is answered with: no fault of the server's."""


@pytest.mark.parametrize("mode", GenerationMode)
def test_it_answers_as_it_says(client, mode):
    described = schemathesis.openapi.from_url(f"http://127.0.0.1:{client.server.rest_port}/openapi.json")
    operations = [found.ok() for found in described.get_all_operations()]
    asked = set()

    @SOME
    @given(st.one_of([operation.as_strategy(generation_mode=mode) for operation in operations]))
    def ask(case):
        asked.add(case.operation.path)
        response = case.call(timeout=10)
        assert response.status_code < 500 or response.status_code == UNIMPLEMENTED, response.text
        case.validate_response(
            response,
            checks=[
                checks.content_type_conformance,
                checks.status_code_conformance,
                checks.response_schema_conformance,
            ],
        )

    ask()
    assert "/v1/models/{model}:predict" in asked
    assert len(asked) > 5
