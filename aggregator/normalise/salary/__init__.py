"""Pay, from any text or field, in any language and currency a board uses: one public function, `parse_salary`.

The road: `tokens` cuts, `grammar` finds pay-shaped statements, `context` says what each one is, `settle` chooses those
that are base pay and joins them; `prose` finds the few lines of a long description that are worth cutting; `structured`
reads published fields. Words, signs and bounds are data in `aggregator/vocabulary`. The rules stand in
`docs/salary-rules.md`.
"""

from aggregator.normalise.salary.model import PayTier, Salary
from aggregator.normalise.salary.parse import parse_salary

__all__ = ["PayTier", "Salary", "parse_salary"]
