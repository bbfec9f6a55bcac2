"""What a benchmark of one's own trains: the skeleton around every cell and the recipe."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from .images import Images
from .macro import Macro
from .recipe import Recipe

SMALL = 16  # pixels; up to here the skeleton is the small one


@dataclass(frozen=True)
class Protocol:
    """A skeleton and a recipe."""

    macro: Macro
    recipe: Recipe

    @classmethod
    def of(cls, images: Images, epochs: int) -> Protocol:
        """The protocol for a set of images, trained for ``epochs`` epochs.

        Pictures larger than 16 pixels get the network and the recipe of NAS-Bench-201. Smaller ones get
        `Macro.mini`, SGD with lr 0.15 and batches of 50, without augmentation. On scikit-learn's digits, 6 epochs of
        that spread the cells of the topology space from 9 to 98 %; Kendall's tau is .84 between seeds (.62 among the
        better half) and .61 with the published CIFAR-10 accuracies. Stronger training (12 epochs, lr 0.25, deeper
        skeletons) agrees somewhat better with CIFAR-10 but makes the good cells equal: tau between seeds falls to .5
        and below among the better half.
        """
        height, width, channels = images.shape
        if max(height, width) > SMALL:
            return cls(Macro(image_channels=channels), Recipe(epochs))
        return cls(Macro.mini(channels), Recipe(epochs, batch=50, lr=0.15, augment=()))

    def but(self, **changes: Any) -> Protocol:
        """This protocol with some fields of the recipe changed; UnknownName lists the fields."""
        return replace(self, recipe=self.recipe.but(**changes))

    def to_json(self) -> dict[str, Any]:
        """Every field of both, as a run folder and a table keep it."""
        return {"macro": asdict(self.macro), "recipe": asdict(self.recipe)}

    def describe(self) -> str:
        """The protocol in words."""
        macro = self.macro
        return (
            f"{macro.stem_kernel}x{macro.stem_kernel} stem, {macro.stages} stages of {macro.cells_per_stage} cell(s), "
            f"widths {'-'.join(map(str, macro.widths))}, {macro.reduction} reduction; {self.recipe.describe()}"
        )
