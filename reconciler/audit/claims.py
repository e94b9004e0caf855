"""The result of an audit: claims of the records, each with a verdict."""

from enum import StrEnum

from attrs import frozen

DISAGREES_CODE = 3


class ClaimVerdict(StrEnum):
    """How a claim (something that the records say) compares with what is there. NOT_ASKED: it could not be checked."""

    AGREE = "agree"
    DISAGREE = "disagree"
    NOT_ASKED = "not-asked"


@frozen
class Claim:
    """One thing that the records say (a claim), with the verdict of the audit on it.

    * `recipe`: the recipe that it is about; "" for the whole state folder.
    * `about`: what was checked, such as "snapshot of generation 2".
    * `reason`: how the claim differs from what was found, or why it could not be checked; "" if it agrees.
    """

    recipe: str
    about: str
    verdict: ClaimVerdict
    reason: str = ""


@frozen
class LedgerHead:
    """The number and the hash of the last line of the ledger.

    A person who writes the hash down can give it to a later audit.
    """

    seq: int
    hash: str


@frozen
class Audit:
    """The claims of one audit. `head` is the last line of the ledger; None if there is none or it is unreadable."""

    claims: tuple[Claim, ...]
    head: LedgerHead | None

    def count(self, verdict: ClaimVerdict) -> int:
        """Return how many claims have this verdict."""
        return sum(claim.verdict is verdict for claim in self.claims)

    @property
    def exit_code(self) -> int:
        """Return the exit code of `reconcile audit`: 3 if a claim disagrees, else 0."""
        return DISAGREES_CODE if self.count(ClaimVerdict.DISAGREE) else 0


def checked(recipe: str, about: str, *problems: str) -> Claim:
    """Return a claim on what `about` names. Its verdict is AGREE if all texts in `problems` are "", else DISAGREE.

    The texts that are not "" become the reason of the claim, joined by "; ".
    """
    reason = "; ".join(filter(None, problems))
    return Claim(recipe, about, ClaimVerdict.DISAGREE if reason else ClaimVerdict.AGREE, reason)


def not_asked(recipe: str, about: str, why: str) -> Claim:
    """Return a claim on what `about` names, with the verdict NOT_ASKED. `why` is why it could not be checked."""
    return Claim(recipe, about, ClaimVerdict.NOT_ASKED, why)


def differs(what: str, recorded: object, found: object) -> str:
    """Return a text on how two values differ: "its size is recorded as 5, and is 6"; "" if they are equal.

    `what` names the value, such as "its size".
    """
    return "" if recorded == found else f"{what} is recorded as {recorded}, and is {found}"
