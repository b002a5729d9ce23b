"""The one exception that users see: a sentence that says what is wrong and what to do."""


class MerError(Exception):
    """Something the user can mend. Its message is shown as it is, never with a trace."""


class ImageError(MerError):
    """A picture that cannot be read, or is larger than the limit."""


class DataError(MerError):
    """A data set folder or zip that cannot be used."""


class WeightsError(MerError):
    """Weights or their record are missing, damaged or made for another network."""


class VideoError(MerError):
    """A video that cannot be read, or a clip that cannot be written."""


class FullError(MerError):
    """All places of the live view are taken."""


class EndedError(MerError):
    """A live view of which nothing is known, or no longer."""
