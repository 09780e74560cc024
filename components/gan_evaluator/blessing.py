"""The blessing as Pusher and LatestBlessedModelStrategy read it."""

from tfx import types
from tfx.components.evaluator import constants
from tfx.utils import io_utils


def write_blessing(
    blessing: types.Artifact, model: types.Artifact, baseline: types.Artifact | None, *, blessed: bool, reason: str
) -> None:
    """Sets the properties of TFX's own Evaluator, adds the reason, and writes the file BLESSED or NOT_BLESSED.

    Args:
        blessing: the ModelBlessing artifact to fill.
        model: that was judged.
        baseline: that it was compared with, or None.
        blessed: the outcome.
        reason: in words.
    """
    judged = {
        (constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY): model,
        (
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_URI_KEY,
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY,
        ): baseline,
    }
    for (uri, identity), artifact in judged.items():
        if artifact is not None:
            blessing.set_string_custom_property(uri, artifact.uri)
            blessing.set_int_custom_property(identity, artifact.id)
    value, name = (
        (constants.BLESSED_VALUE, constants.BLESSED_FILE_NAME)
        if blessed
        else (constants.NOT_BLESSED_VALUE, constants.NOT_BLESSED_FILE_NAME)
    )
    blessing.set_string_custom_property(constants.ARTIFACT_PROPERTY_BLESSING_MESSAGE_KEY, reason)
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, value)
    io_utils.write_string_file(f"{blessing.uri}/{name}", reason)
