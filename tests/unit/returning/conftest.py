import sys
from pathlib import Path

# The texts of the rendering tests serve here too; pytest puts only the folder of each test on the path.
sys.path.insert(0, str(Path(__file__).parents[1] / "rendering"))
