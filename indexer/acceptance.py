"""Whether a new generation may go live: what becomes of judged questions and of the most frequent queries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from indexer import frequent
from indexer.frequent import Changed, First, Frequent
from search import judging, runs
from search.engines import IndexMissing, Progress, Searchable
from search.judging import Question
from search.runs import Collection, Compared

FIGURE = "ndcg@10"
# A tenth of the articles less, by chance, costs .005 to .065 on four judged collections; a tenth more, which nobody
# judged, up to .041. What is beyond that is no change of a day.
MOST_WORSE = 0.05
MOST_LOST = (
    0.05  # of the searches; of 959 one (.1 %) finds nothing more where a tenth of the articles is gone by chance
)
NAMED = 5  # questions or queries, in a refusal
TELL = 50  # between two words about the progress


@dataclass(frozen=True, slots=True)
class Findings:
    """How the new generation answers beside the one before.

    `judged`: the judged questions, before and after; `asked`: the frequent queries, `changed` those with other results.
    """

    judged: Compared | None = None
    asked: Sequence[Frequent] = ()
    changed: Sequence[Changed] = ()

    @property
    def lost(self) -> list[Changed]:
        """The queries that found something and find nothing now."""
        return [one for one in self.changed if one.is_lost]

    def objections(self) -> Iterator[str]:
        """Why it should not go live."""
        if self.judged and self.judged.before - self.judged.after > MOST_WORSE:
            worst = [f"{one.question!r} {one.before:.3f} -> {one.after:.3f}" for one in self.judged.changes]
            fall = f"nDCG@10 {self.judged.before:.3f} -> {self.judged.after:.3f}"
            yield f"the judged questions are answered worse, {fall}: {some(worst)}"
        asked, lost = sum(one.times for one in self.asked), sum(one.query.times for one in self.lost)
        if lost > MOST_LOST * asked:
            silent = some([repr(one.query.query) for one in self.lost])
            yield f"{lost / asked:.1%} of the frequent searches found something and find nothing now: {silent}"


@dataclass(frozen=True, slots=True)
class Examination:
    """What the generation that answers and the one that is to follow it are asked."""

    questions: Sequence[Question] = ()
    queries: Sequence[Frequent] = ()

    def of(self, before: Searchable, after: Searchable, progress: Progress | None = None) -> Findings:
        """How they answer. Where there is no generation before, there is nothing to compare with.

        Raises:
            EngineError: one of them cannot be asked.
        """
        try:
            judged, first = self._asked(before, "asking the old one", progress)
        except IndexMissing:
            return Findings()
        again, then = self._asked(after, "asking the new one", progress)
        compared = runs.compare([judged], [again]).mean[FIGURE] if judged and again else None
        return Findings(compared, self.queries, frequent.compare(self.queries, first, then))

    def _asked(
        self, engine: Searchable, stage: str, progress: Progress | None
    ) -> tuple[Collection | None, list[First]]:
        of = len(self.questions) + len(self.queries)

        def told(done: int) -> None:
            if progress and (done % TELL == 0 or done == of):
                progress(stage, done, of)

        judged, first = [], []
        for done, question in enumerate(self.questions, 1):
            judged.append(judging.judged(question, judging.ask(engine, question.text)))
            told(done)
        for done, query in enumerate(self.queries, len(judged) + 1):
            first.append(frequent.ask(engine, query))
            told(done)
        return runs.collection("questions", judged) if judged else None, first


def some(names: Sequence[str], most: int = NAMED) -> str:
    """The first of these, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")
