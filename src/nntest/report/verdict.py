"""Which program is fastest on each question, and how sure that is: the words at a report's head."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from nntest.analyses.cases import collect, time_of
from nntest.analyses.columns import QUESTION, present
from nntest.analyses.leads import ALONE, lead
from nntest.analyses.names import count_noun, listed, natural_key, pretty, shortened, subject_labels
from nntest.statistics.comparison import compare, decide
from nntest.statistics.interval import intervals
from nntest.units import US_PER_S, format_duration

if TYPE_CHECKING:
    import pandas as pd

#: A page's head is read by a person; beyond this many cases the analyses' own tables say it.
MAX_CASES = 3000


@dataclass(frozen=True, kw_only=True)
class Winner:
    """The fastest program on one question, against the next; texts as a page shows them."""

    species: str
    shape: str
    setting: str
    program: str
    library: str
    time: str
    time_us: float
    interval: str
    runner_up: str
    factor: str
    verdict: str


def winners(ranked: "pd.DataFrame") -> list[Winner]:
    """Return the winner of every question that at least one program answered, judged together by FDR."""
    cases = collect(ranked, time_of(ranked))
    if not cases.series or len(cases.series) > MAX_CASES:
        return []
    # without the column all programs answer alike, and there is nothing to rank
    if not {"program", "library"} <= set(cases.table.columns):
        return []
    keys = present(cases.table, QUESTION)
    texts = cases.table.astype("string").fillna("").assign(_subject=subject_labels(cases.table).map(shortened))
    found = intervals(cases.series)
    contests, comparisons = [], []
    for _, rows in texts.groupby(keys, sort=False):
        order = sorted(rows.index, key=lambda position: found[position].estimate)
        contests.append(order)
        if len(order) > 1:
            comparisons.append(compare(cases.series[order[1]], cases.series[order[0]]))
    judged = iter(decide(comparisons, "fdr"))
    varying = [key for key in keys if key not in ("species", "shape", "model") and texts[key].nunique() > 1]
    result = []
    for order in contests:
        best = order[0]
        row, item = texts.loc[best], found[best]
        rival = texts.loc[order[1]] if len(order) > 1 else None
        known = item.low == item.low
        result.append(
            Winner(
                species=str(row.get("species", "")),
                shape=shortened(row.get("shape", "") or pretty(row.get("model", ""))),
                setting=", ".join(f"{key.replace('_', ' ')} {row[key]}" for key in varying),
                program=str(row["_subject"]),
                library=shortened(row.get("library", "")),
                time=format_duration(item.estimate / US_PER_S),
                time_us=item.estimate,
                interval=f"± {item.half_width_pct:.1f} %" if known else "",
                runner_up="" if rival is None else str(rival["_subject"]),
                factor="" if rival is None else f"{found[order[1]].estimate / item.estimate:.2f}x",
                verdict=ALONE if rival is None else lead(next(judged)),
            )
        )
    return sorted(result, key=lambda winner: (winner.species, natural_key(winner.shape), natural_key(winner.setting)))


def trust_sentence(trust: Mapping[str, int]) -> str:
    """Say that no case is known to be stable where some are known not to be; ``trust`` counts the cases by verdict."""
    unstable = trust.get("unstable", 0)
    if not unstable or trust.get("stable"):
        return ""
    total = sum(trust.values())
    if unstable < total:
        # what other tools or an emulator timed was not watched: that is not known, and not known to be unstable
        others = "the other" if total - unstable == 1 else f"the other {total - unstable:,}"
        known = f"{unstable:,} of {total:,} cases {'is' if unstable == 1 else 'are'} not stable"
        who = f"{known}, and of {others} it is not known"
    else:
        who = "The only case is not stable" if total == 1 else f"None of the {total:,} cases is stable"
    return f"{who}; differences below are indications."


def sentences(found: list[Winner]) -> list[str]:
    """Return one sentence per species: who wins how often, and how often that is sure; a lead in doubt is no win."""
    words = []
    for species in dict.fromkeys(winner.species for winner in found):
        mine = [winner for winner in found if winner.species == species]
        told = [winner for winner in mine if winner.verdict != "undecided"]
        libraries = dict.fromkeys(winner.library for winner in told)
        counts = {name: [w for w in told if w.library == name] for name in libraries}
        parts: list[str] = []
        for name, won in sorted(counts.items(), key=lambda pair: -len(pair[1])):
            shapes = count_noun(len(mine), "shape" if species else "workload")
            of = (
                f"{len(won)} of {shapes}"
                if len(won) < len(mine)
                else "the only one"
                if len(mine) == 1
                else f"all {shapes}"
            )
            parts.append(
                f"{pretty(name)} is fastest on {of} ({_sureness(won)})"
                if not parts
                else f"{pretty(name)} on {len(won)} ({_sureness(won)})"
            )
        said = [listed(parts)] if parts else []
        if len(told) < len(mine):
            said.append(f"the two fastest are not told apart{_where(len(mine) - len(told), len(mine), species)}")
        words.append(f"{species or 'whole networks'}: {'; '.join(said)}.")
    return words


def _where(count: int, total: int, species: str) -> str:
    if total == 1:
        return ""
    if count == total:
        return f" on any of {count_noun(total, 'shape' if species else 'workload')}"
    return f" on {count} of {total}"


def as_records(found: list[Winner]) -> list[dict[str, Any]]:
    """Return plain JSON."""
    return [asdict(winner) for winner in found]


def _sureness(won: list[Winner]) -> str:
    said = (
        ("different", "sure"),
        ("equivalent", "tied within 1 %"),
        (ALONE, "unopposed"),
    )
    counts = [(sum(winner.verdict == verdict for winner in won), word) for verdict, word in said]
    told = [(count, word) for count, word in counts if count]
    return told[0][1] if len(told) == 1 else ", ".join(f"{count} {word}" for count, word in told)
