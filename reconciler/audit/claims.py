"""The result of an audit: claims, each with a verdict."""

from enum import StrEnum

from attrs import frozen

DISAGREES_CODE = 3


class ClaimVerdict(StrEnum):
    """Whether what is there agrees with a claim. NOT_ASKED: nobody could be asked, so nothing is known."""

    AGREE = "agree"
    DISAGREE = "disagree"
    NOT_ASKED = "not-asked"


@frozen
class Claim:
    """One claim of the records. `recipe` is "" for a claim about the whole state folder.

    `about` says what was checked, such as "snapshot of generation 2". `reason` says how it differs, or why nobody could
    be asked; "" if it agrees.
    """

    recipe: str
    about: str
    verdict: ClaimVerdict
    reason: str = ""


@frozen
class LedgerHead:
    """The last line of the ledger: its number and its hash. Whoever keeps the hash elsewhere can audit against it."""

    seq: int
    hash: str


@frozen
class Audit:
    """The claims of one audit, and the ledger's head; None for an empty ledger or one that cannot be read."""

    claims: tuple[Claim, ...]
    head: LedgerHead | None

    def count(self, verdict: ClaimVerdict) -> int:
        """Return how many claims have this verdict."""
        return sum(claim.verdict is verdict for claim in self.claims)

    @property
    def exit_code(self) -> int:
        """3 if a claim disagrees, else 0."""
        return DISAGREES_CODE if self.count(ClaimVerdict.DISAGREE) else 0


def checked(recipe: str, about: str, *problems: str) -> Claim:
    """Return a claim that agrees if `problems` are all "", else one that disagrees because of them."""
    reason = "; ".join(filter(None, problems))
    return Claim(recipe, about, ClaimVerdict.DISAGREE if reason else ClaimVerdict.AGREE, reason)


def not_asked(recipe: str, about: str, why: str) -> Claim:
    """Return a claim about which nobody could be asked."""
    return Claim(recipe, about, ClaimVerdict.NOT_ASKED, why)


def differs(what: str, recorded: object, found: object) -> str:
    """Return a text that says how two values differ, "" if they do not."""
    return "" if recorded == found else f"{what} is recorded as {recorded}, and is {found}"
