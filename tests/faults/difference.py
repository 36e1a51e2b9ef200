"""What one look of the verifier has found, written side by side."""

from collections import Counter
from collections.abc import Collection, Hashable, Iterator
from itertools import zip_longest

from msgspec import Struct, field


class Difference(Struct):
    """What one look has found: ``missing`` is what the oracle has, ``surplus`` what it has not."""

    about: str
    missing: list[str] = field(default_factory=list)
    surplus: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.missing or self.surplus)

    def lines(self, most: int = 12) -> Iterator[str]:
        """Write it side by side."""
        yield f"{self.about}: {len(self.missing)} missing, {len(self.surplus)} too many"
        pairs = list(zip_longest(self.missing, self.surplus, fillvalue=""))
        width = max([len(left) for left, _ in pairs[:most]] + [7])
        yield f"    {'missing':{width}} | too many"
        for left, right in pairs[:most]:
            yield f"    {left:{width}} | {right}"
        if len(pairs) > most:
            yield f"    and {len(pairs) - most} more"


def compared(about: str, wanted: Collection[Hashable], got: Collection[Hashable]) -> Difference:
    """Compare as multisets."""
    want, have = Counter(wanted), Counter(got)
    return Difference(
        about,
        sorted(str(one) for one in (want - have).elements()),
        sorted(str(one) for one in (have - want).elements()),
    )
