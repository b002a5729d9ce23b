"""Blendshapes by MediaPipe's own Face Landmarker, as JSON; run by an interpreter that has it.

It is given the .task file and pictures, and stands alone: mediapipe needs other versions of numpy
and OpenCV than mer does.
"""

import json
import sys

import mediapipe
from mediapipe.tasks.python import BaseOptions, vision


def main(task: str, pictures: list[str]) -> None:
    """Print a list with one object a picture, shape to value, or null where no face is found."""
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=task), output_face_blendshapes=True
    )
    with vision.FaceLandmarker.create_from_options(options) as landmarker:
        answers = [
            landmarker.detect(mediapipe.Image.create_from_file(path)).face_blendshapes
            for path in pictures
        ]
    found = [{s.category_name: s.score for s in faces[0]} if faces else None for faces in answers]
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
