"""What a benchmark of one's own trains: the skeleton around every cell and the recipe."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from ..spaces import Cells101, Size, Space
from .images import Images
from .macro import Macro, StackMacro
from .recipe import TrainingRecipe, recipe_for

SMALL = 16  # pixels; up to here the skeleton is the small one


@dataclass(frozen=True)
class Protocol:
    """A skeleton and a recipe."""

    macro: Macro | StackMacro
    recipe: TrainingRecipe

    @classmethod
    def of(cls, images: Images, epochs: int, space: Space | None = None) -> Protocol:
        """The protocol for a set of images, trained for ``epochs`` epochs; for cells of the topology space by default.

        Pictures larger than 16 pixels get the network and the recipe of the space's benchmark. Smaller ones get a
        small network (`Macro.mini`; in the size space its stem and reductions; for NAS-Bench-101 two stacks of one
        cell from 16 channels), SGD with lr 0.15 and batches of 50, without augmentation. On scikit-learn's digits, 6
        epochs of that spread the cells of the topology space from 9 to 98 %; Kendall's tau is .84 between seeds (.62
        among the better half) and .61 with the published CIFAR-10 accuracies. Stronger training (12 epochs, lr 0.25,
        deeper skeletons) agrees somewhat better with CIFAR-10 but makes the good cells equal: tau between seeds falls
        to .5 and below among the better half.
        """
        height, width, channels = images.shape
        if max(height, width) > SMALL:
            return cls.published(images, epochs, space)
        return cls(_small(space, channels), TrainingRecipe(epochs, batch=50, lr=0.15, augment=()))

    @classmethod
    def published(cls, images: Images, epochs: int, space: Space | None = None) -> Protocol:
        """Network and recipe of the space's benchmark, which trained on ImageNet16-120's 16 pixels with them, too."""
        recipe = recipe_for(None if space is None else space.name, epochs)
        return cls(_published(space, images.shape[2]), recipe)

    def but(self, **changes: Any) -> Protocol:
        """This protocol with some fields of the recipe changed; UnknownName lists the fields."""
        return replace(self, recipe=self.recipe.but(**changes))

    def to_json(self) -> dict[str, Any]:
        """Every field of both, as a run folder and a table keep it."""
        return {"macro": asdict(self.macro), "recipe": asdict(self.recipe)}

    def describe(self) -> str:
        """The protocol in words."""
        return f"{self.macro.describe()}; {self.recipe.describe()}"


def _published(space: Space | None, channels: int) -> Macro | StackMacro:
    if isinstance(space, Cells101):
        return StackMacro(image_channels=channels)
    return (Macro.size() if isinstance(space, Size) else Macro()).but(image_channels=channels)


def _small(space: Space | None, channels: int) -> Macro | StackMacro:
    if isinstance(space, Cells101):
        return StackMacro(16, stacks=2, cells_per_stack=1, image_channels=channels, norm_momentum=0.1)
    mini = Macro.mini(channels)
    return mini.but(widths=Macro.size().widths) if isinstance(space, Size) else mini
