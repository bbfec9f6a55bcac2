"""How the parameters of the Gaussian process are found, and what is found; plain values that travel."""

from __future__ import annotations

from dataclasses import dataclass

from ...bench.errors import BadValue

OPERATIONS, DEGREES, ANY = (1e-3, 0.1), (1e-3, 0.2), (1e-2, 3.0)


@dataclass(frozen=True)
class Scales:
    """Length scale of every component and variance of the noise (of standardised values)."""

    lengths: tuple[float, ...]
    noise: float


@dataclass(frozen=True)
class Tuning:
    """Bounds and starts of the search for the scales; the defaults are published.

    Args:
        restarts, starts: climbs, and uniform draws of which each starts from the best.
        noise: bounds of the noise.
        lengths: bounds of every length scale; default: the published ones of each component.
        shared_when_fitted: the authors' slip: degrees share a scale in the likelihood, but the posterior takes
            another for out-degrees, which is whatever it was drawn as.
    """

    restarts: int = 4
    starts: int = 30
    noise: tuple[float, float] = (1e-3, 1e-2)
    lengths: tuple[float, float] | None = None
    shared_when_fitted: bool = False

    def __post_init__(self) -> None:
        if self.restarts < 1 or self.starts < 1:
            raise BadValue(f"restarts={self.restarts}, starts={self.starts} given; legal: at least 1")
        for name, bounds in (("noise", self.noise), ("lengths", self.lengths)):
            if bounds is not None and not 0 < bounds[0] <= bounds[1]:
                raise BadValue(f"{name}={bounds} given; legal: two positive bounds, the lower first")

    def limits(self, components: int) -> list[tuple[float, float]]:
        """Bounds of the length scale of each component."""
        if self.lengths is not None:
            return [self.lengths] * components
        return [OPERATIONS, DEGREES, DEGREES] if components == 3 else [ANY] * components


PAPER = Tuning()
#: Length scales as long as the distances, and noise up to all there is: the published bounds are active at most fits.
WIDE = Tuning(restarts=2, starts=10, lengths=(1e-2, 3.0), noise=(1e-4, 1.0))
FITS = {"published": PAPER, "wide": WIDE}
#: The authors' code (optimise_gp_hyperparameter_v3), for one and for two grams.
RELEASED = Tuning(shared_when_fitted=True)
