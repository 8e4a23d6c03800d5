"""Finding a loader's settings by measuring: a dozen of trials instead of a grid.

The loader runs in this process, one setting at a time, each for some seconds: numbers of workers
are doubled while that helps, refined, and what comes near the best is measured again in turns.
"""

from fastload.tune.folder import tune_folder
from fastload.tune.pack import tune_pack
from fastload.tune.settings import FolderSettings, PackSettings, Settings
from fastload.tune.trial import Trial, Window
from fastload.tune.tuning import Tuning

__all__ = [
    "FolderSettings",
    "PackSettings",
    "Settings",
    "Trial",
    "Tuning",
    "Window",
    "tune_folder",
    "tune_pack",
]
