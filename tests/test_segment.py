"""Segments: what articles become, that merging is the same as building at once, and that damage is found."""

from __future__ import annotations

import random
import struct
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from unittest import mock

import numpy as np
import pytest

from search import analysis, fields, query
from search.article import Article, tie_break
from search.engines import Delete, IndexCorrupt, Put, connect
from search.engines.whoosh import arrays, contents, generations, writer
from search.engines.whoosh import merge as merging
from search.engines.whoosh.arrays import Arrays, Strings, narrow, ranges
from search.engines.whoosh.instants import NONE, micros, moment
from search.engines.whoosh.postings import FIELD_NAMES
from search.engines.whoosh.segment import GAP, Batch

VOCABULARY = "news new News university universe US us COVID-19 covid café state-of-the-art May may e-mail 2,000 C++ x"
VOCABULARY = VOCABULARY.split()
START = datetime(2024, 1, 1, tzinfo=UTC)


def made(dice, number):
    def words(most, least=0):
        return " ".join(dice.choices(VOCABULARY, k=dice.randint(least, most)))

    title = words(4)
    return Article(
        id=f"a{number}",
        title=title.upper() if dice.random() < 0.2 else title,
        summary=words(5),
        body=words(20),
        subheads=tuple(words(3) for _ in range(dice.randint(0, 3))),
        section=dice.choice(["World", "Arts & Books", "", None]),
        authors=tuple(dice.sample(["Zoë May", "Will Smith", "US Desk"], dice.randint(0, 2))),
        tags=tuple(dice.sample(["US", "new news", "café"], dice.randint(0, 3))),
        published=dice.choice([None, START + timedelta(hours=dice.randint(0, 9999))]),
        language=dice.choice(["en", None]),
        status=dice.choice(["live", "withdrawn"]),
        embargo_until=dice.choice([None, START]),
    )


def build(numbered):
    batch = Batch()
    for seq, article in numbered:
        batch.add(seq, article)
    assert len(batch) == len(numbered)
    return batch.arrays()


def postings(content):
    """(field, stem, document) -> the places and forms of its occurrences, read from the arrays alone."""
    stems, forms = Strings.of(content, "words.stems"), Strings.of(content, "words.forms")
    found = {}
    far = dict(zip(content["far.occ"].tolist(), content["far.pos"].tolist(), strict=True))
    rare = dict(zip(content["rare.post"].tolist(), content["rare.tf"].tolist(), strict=True))
    terms = content["stem.term"].tolist()
    for stem, text in enumerate(stems):
        for term in range(terms[stem], terms[stem + 1]):
            field = FIELD_NAMES[int(content["term.field"][term])]
            first = int(content["words.first"][stem])
            occurrence, mixed = int(content["term.occ"][term]), int(content["term.mix"][term])
            for posting in range(int(content["term.post"][term]), int(content["term.post"][term + 1])):
                code = int(content["post.code"][posting])
                end = occurrence + (rare[posting] if code == 255 else int(content["code.tf"][code]))
                number = int(content["code.form"][code])
                places = []
                for i in range(occurrence, end):
                    if content["code.form"][code] == 255:
                        number, mixed = int(content["mix.form"][mixed]), mixed + 1
                    places.append((far.get(i, int(content["occ.pos"][i])), forms[first + number]))
                found[field, text, int(content["post.doc"][posting])] = sorted(places)
                occurrence = end
            assert occurrence == int(content["term.occ"][term + 1])
            assert mixed == int(content["term.mix"][term + 1])
    return found


def expected(articles):
    """The same from the analysis, a word at a time."""
    found = {}
    for doc, article in enumerate(articles):
        for field in FIELD_NAMES:
            base = 0
            for text in texts(article, field):
                last = -1
                for token in analysis.tokens(text):
                    found.setdefault((field, token.stem, doc), []).append((base + token.position, token.form))
                    last = token.position
                base += last + 1 + GAP
    return {key: sorted(places) for key, places in found.items()}


def texts(article, field):
    value = getattr(article, field)
    return [value] if isinstance(value, str) else list(value or ())


def documents(content):
    """What a segment says of each document."""
    lengths = [content[f"len.{name}"].tolist() for name in FIELD_NAMES]
    filters = []
    for name in fields.FILTERS:
        values = Strings.of(content, f"{name}.values")
        pairs = zip(content[f"{name}.doc"].tolist(), content[f"{name}.ord"].tolist(), strict=True)
        filters.append(sorted((doc, values[place]) for doc, place in pairs))
        assert list(values) == sorted({value for _, value in filters[-1]})
    columns = [content[f"doc.{name}"].tolist() for name in ("seq", "tie", "published", "embargo", "withdrawn")]
    return list(Strings.of(content, "doc.ids")), columns, lengths, filters


@pytest.mark.parametrize("seed", range(8))
def test_a_segment_says_what_the_analysis_says(seed):
    dice = random.Random(seed)
    articles = [made(dice, n) for n in range(dice.choice([1, 2, 30]))]
    content = build(list(enumerate(articles, 100)))
    assert postings(content) == expected(articles)
    ids, (seq, tie, published, embargo, withdrawn), lengths, filters = documents(content)
    assert ids == [article.id for article in articles]
    assert seq == [100 + n for n in range(len(articles))]
    assert tie == [tie_break(article.id) for article in articles]
    assert [moment(value) for value in published] == [article.published for article in articles]
    assert [moment(value) for value in embargo] == [article.embargo_until for article in articles]
    assert withdrawn == [article.status == "withdrawn" for article in articles]
    for name, found in zip(FIELD_NAMES, lengths, strict=True):
        assert found == [
            sum(len({token.position for token in analysis.tokens(text)}) for text in texts(article, name))
            for article in articles
        ]
    for attribute, found in zip(fields.FILTERS.values(), filters, strict=True):
        assert found == sorted((n, text) for n, article in enumerate(articles) for text in texts(article, attribute))


@pytest.fixture
def merge(tmp_path):
    """What `merge` makes of segments, written to files as those of a generation are."""

    def merged(segments, live):
        files = []
        for number, content in enumerate(segments):
            files.append(tmp_path / f"{number}.arr")
            arrays.write(files[-1], content)
        return merging.merge(list(map(Arrays, files)), live)

    return merged


@pytest.mark.parametrize("seed", range(12))
def test_merging_is_building_at_once(seed, merge):
    """Segments of any size, documents dead at random: the merge is the segment of those alive, array for array."""
    dice = random.Random(seed)
    sizes = dice.choices([1, 2, 9, 25], k=dice.randint(1, 5))
    cut = [[(seq, made(dice, seq)) for seq in range(size)] for size in sizes]
    live = [np.array([dice.random() < dice.choice([0.2, 0.9]) for _ in part]) for part in cut]
    if not any(mask.any() for mask in live):
        live[0][0] = True
    kept = [pair for part, mask in zip(cut, live, strict=True) for pair, alive in zip(part, mask, strict=True) if alive]
    merged, whole = merge([build(part) for part in cut], live), build(kept)
    assert postings(merged) == postings(whole) == expected([article for _, article in kept])
    assert documents(merged) == documents(whole)
    assert set(merged) == set(whole)
    for name, array in whole.items():
        assert merged[name].dtype == array.dtype, name
        if name != "doc.by_tie":  # equal ties may stand in either order
            assert merged[name].tolist() == array.tolist(), name


def test_merging_merged_segments_changes_nothing(merge):
    dice = random.Random(1)
    parts = [build([(n, made(dice, n))]) for n in range(6)]
    alive = np.ones(1, dtype=bool)
    twice = merge([merge(parts[:3], [alive] * 3), merge(parts[3:], [alive] * 3)], [np.ones(3, dtype=bool)] * 2)
    once = merge(parts, [alive] * 6)
    assert {name: array.tolist() for name, array in twice.items()} == {
        name: array.tolist() for name, array in once.items()
    }


def test_words_of_deleted_articles_alone_are_gone(merge):
    content = build([(1, Article(id="a", title="libel secret")), (2, Article(id="b", title="secrets kept"))])
    assert "secret" in Strings.of(content, "words.forms")
    merged = merge([content], [np.array([False, True])])
    assert list(Strings.of(merged, "words.forms")) == ["kept", "secrets"]
    assert list(Strings.of(merged, "words.stems")) == ["kept", "secret"]
    assert list(Strings.of(merged, "doc.ids")) == ["b"]
    assert b"libel" not in b"".join(array.tobytes() for array in merged.values())


@pytest.mark.parametrize(
    ("article", "words"),
    [
        (Article(id="a"), 0),
        (Article(id="a", title="…", body="—"), 0),
        (Article(id="a", title="x"), 1),
        (Article(id="a", tags=("…", "x"), subheads=("", "y")), 2),
    ],
)
def test_articles_of_hardly_a_word(article, words, merge):
    content = build([(1, article)])
    assert len(content["occ.pos"]) == words
    alone = merge([content, content], [np.array([True]), np.array([False])])
    assert postings(alone) == postings(content) == expected([article])
    if words:
        none = merge([content], [np.array([False])])
        assert (len(none["doc.seq"]), len(none["occ.pos"]), len(none["term.field"])) == (0, 0, 0)


def test_a_batch_of_nothing():
    assert (len(Batch()), Batch().characters) == (0, 0)


def test_items_of_a_list_stand_apart():
    content = build([(1, Article(id="a", tags=("north", "korea"), authors=("Ann Lee", "Bo")))])
    found = postings(content)
    assert found["tags", "korea", 0][0][0] - found["tags", "north", 0][0][0] == GAP + 1
    assert found["authors", "lee", 0][0][0] - found["authors", "ann", 0][0][0] == 1
    assert (content["len.tags"].tolist(), content["len.authors"].tolist()) == ([2], [3])  # gaps are no words


ENDS = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize("value", [None, *ENDS, START, START.replace(microsecond=1)])
def test_instants_are_exact(value):
    assert moment(micros(value)) == value


# The file.

CONTENTS = [
    {},
    {"empty": np.empty(0, np.uint32)},
    {"a": np.arange(5, dtype=np.uint8), "none": np.empty(0, np.int64), "b": np.arange(1000, dtype=np.int64)},
    {"big": np.arange(3, dtype=">u4"), "ä": np.array([1.5, -0.0])},
    {"least": np.array([NONE, np.iinfo(np.int64).max])},
    {f"n{n}": np.full(n, n, dtype=np.uint16) for n in range(70)},
]


@pytest.mark.parametrize("content", CONTENTS)
def test_arrays_come_back(tmp_path, content):
    path = tmp_path / "s.arr"
    arrays.write(path, content)
    read = Arrays(path)
    assert list(read) == list(content)
    assert len(read) == len(content)
    for name, array in content.items():
        assert read[name].tolist() == array.tolist()
        assert read[name].dtype == array.dtype.newbyteorder("<")
        assert read[name].ctypes.data % arrays.ALIGN == 0 or not len(array)
        if len(array):
            with pytest.raises(ValueError, match="read-only"):
                read[name][0] = 1
    assert read.damaged() == []


def test_arrays_outlive_their_file(tmp_path):
    path = tmp_path / "s.arr"
    arrays.write(path, {"a": np.arange(100_000)})
    array = Arrays(path)["a"]
    path.unlink()
    assert int(array.sum()) == 4_999_950_000


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "s.arr"
    arrays.write(path, {"first": np.arange(100, dtype=np.int64), "none": np.empty(0, np.int8), "last": np.arange(9)})
    return path


@pytest.mark.parametrize("size", [0, 1, 7, 8, 11, 12, 40, 100, 200, 900, -1])
def test_a_file_cut_short_is_corrupt(file, size):
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(IndexCorrupt, match=r"s\.arr"):
        Arrays(file)


DAMAGES = {
    "another magic": lambda data: b"BSARRAY1" + data[8:],
    "no file of ours": lambda data: b"\0" * len(data),
    "a directory too long": lambda data: data[:8] + struct.pack("<I", 2**31) + data[12:],
    "a directory of length 0": lambda data: data[:8] + struct.pack("<I", 0) + data[12:],
    "another checksum": lambda data: data[:12] + b"\0\0\0\0" + data[16:],
    "a byte more": lambda data: data + b"\0",
    "no JSON": lambda data: data.replace(b'{"first"', b'["first"'),
    "a type that is none": lambda data: data.replace(b"<i8", b"<z8", 1),
    "objects": lambda data: data.replace(b'"<i8"', b'"O"  ', 1),
    "more items than there are": lambda data: data.replace(b",100,", b",999,", 1),
    "a negative offset": lambda data: data.replace(b",100,0,", b",100,-,", 1),
    "not UTF-8": lambda data: data.replace(b"first", b"f\xffrst", 1),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_directory_is_corrupt(file, damage):
    damaged = damage(file.read_bytes())
    assert damaged != file.read_bytes()
    file.write_bytes(damaged)
    with pytest.raises(IndexCorrupt, match=r"s\.arr"):
        Arrays(file)


def test_a_file_that_is_not_there_is_corrupt(tmp_path):
    with pytest.raises(IndexCorrupt, match="not there"):
        Arrays(tmp_path / "none.arr")


@pytest.mark.parametrize(("back", "named"), [(1, ["last"]), (72, ["last"]), (200, ["first"])])
def test_a_flipped_byte_names_its_array(file, back, named):
    data = bytearray(file.read_bytes())
    data[-back] ^= 1
    file.write_bytes(bytes(data))
    assert Arrays(file).damaged() == named


def test_any_flipped_byte_of_the_directory_is_told(file):
    """Or it changes nothing, as a letter of a name does until the name is asked for."""
    whole = file.read_bytes()
    right = {name: array.tolist() for name, array in Arrays(file).items()}
    (length,) = struct.unpack_from("<I", whole, 8)
    unsaid = []
    for place, bit in product(range(12 + length), (1, 2, 16)):
        data = bytearray(whole)
        data[place] ^= bit
        file.write_bytes(bytes(data))
        try:
            read = Arrays(file)
            if not read.damaged() and [array.tolist() for array in read.values()] != list(right.values()):
                unsaid.append((place, bit))
        except IndexCorrupt:
            pass
    assert unsaid == []


TEXTS = ["", "a", "ab", "b", "café", "z", "ä", "العاصفة", "😀", "😀😀"]


@pytest.mark.parametrize("texts", [[], [""], ["", ""], ["x"], TEXTS, ["x" * 300, "y" * 70_000]])
def test_texts_come_back(texts):
    strings = Strings.of(Strings.pack("t", texts), "t")
    assert list(strings) == texts
    assert len(strings) == len(texts)
    assert strings[:2] == texts[:2]
    assert [strings[-1 - n] for n in range(len(texts))] == texts[::-1]
    for beyond in (len(texts), -len(texts) - 1):
        with pytest.raises(IndexError):
            strings[beyond]


def test_index_of():
    texts = sorted(TEXTS)
    strings = Strings.of(Strings.pack("t", texts), "t")
    assert [strings.index_of(text) for text in texts] == list(range(len(texts)))
    for absent in ("A", "aa", "caf", "cafés", "zz", "😀😀😀", "\x00"):
        assert strings.index_of(absent) is None
    assert Strings.of(Strings.pack("t", []), "t").index_of("a") is None


@pytest.mark.parametrize(
    ("top", "dtype"), [(0, "u1"), (255, "u1"), (256, "u2"), (65_535, "u2"), (65_536, "u4"), (2**32, "u8")]
)
def test_narrow(top, dtype):
    assert narrow(np.array([0, top], dtype=np.int64)).dtype == dtype
    assert narrow(np.array([0, top], dtype=np.int64)).tolist() == [0, top]
    assert narrow(np.empty(0, np.int64)).dtype == "u1"


@pytest.mark.parametrize(
    ("starts", "lengths", "right"),
    [
        ([], [], []),
        ([5, 9], [2, 3], [5, 6, 9, 10, 11]),
        ([5, 7, 0], [0, 1, 0], [7]),
        ([3, 3], [1, 2], [3, 3, 4]),
        ([0], [0], []),
    ],
)
def test_ranges(starts, lengths, right):
    assert ranges(np.array(starts, dtype=np.uint8), np.array(lengths, dtype=np.uint8)).tolist() == right


# Commits: how many segments there are, and what lies in the folder.


@pytest.fixture
def engine(tmp_path):
    engine = connect(f"whoosh:{tmp_path / 'index'}")
    yield engine
    engine.close()


def apply(engine, *changes):
    run = engine.begin("index", ["s"])
    engine.accept(run, [Delete(one) if isinstance(one, str) else Put(one, "s") for one in changes])
    return engine.catch_up()


def live(tmp_path):
    folder = tmp_path / "index"
    return folder / "generations" / generations.current(folder)


def test_segments_grow_with_the_logarithm(engine, tmp_path):
    with mock.patch.multiple(writer, SMALL=0, RATIO=3):
        for n in range(40):
            apply(engine, Article(id=f"a{n}", title="tide"))
            segments = contents.table(live(tmp_path)).segments
            assert sum(one.doc_count() for one in segments) == n + 1
            sizes = sorted(one.doc_count() for one in segments)
            assert all(larger >= 3 * smaller for smaller, larger in pairwise(sizes)), sizes
            assert len(sizes) <= 1 + np.emath.logn(3, n + 1)
    assert len(list(live(tmp_path).glob("*.arr"))) == len(segments)


@pytest.mark.parametrize(("bound", "most"), [(5, 1), (10, 3), (100, 12)])
def test_no_segment_grows_beyond_its_bound_by_merging(engine, tmp_path, bound, most):
    with mock.patch.object(writer, "MERGE_TOKENS", bound):
        for n in range(12):
            apply(engine, Article(id=f"a{n}", title="one two three"))
            assert all(3 * one.doc_count() <= bound for one in contents.table(live(tmp_path)).segments)
    segments = contents.table(live(tmp_path)).segments
    assert [one.doc_count() for one in segments] == [most] * (12 // most)
    assert engine.status().articles == 12


def test_what_is_small_is_one_segment(engine, tmp_path):
    for n in range(5):
        apply(engine, Article(id=f"a{n}", title="tide"), Article(id="same", title=f"tide {n}"))
        (one,) = contents.table(live(tmp_path)).segments
        assert (one.doc_count_all(), one.deleted_count()) == (n + 2, 0)
    with mock.patch.multiple(writer, SMALL=3, RATIO=2):  # words
        apply(engine, Article(id="b", title="tide"))
    assert [one.doc_count() for one in contents.table(live(tmp_path)).segments] == [6, 1]


def test_a_segment_much_larger_than_the_rest_is_left_alone(engine, tmp_path):
    with mock.patch.multiple(writer, SMALL=0, RATIO=4):
        apply(engine, *(Article(id=f"a{n}", title="tide") for n in range(20)))
        left = []
        for n in range(5):
            apply(engine, Article(id=f"b{n}", title="tide"))
            left.append(sorted(one.doc_count() for one in contents.table(live(tmp_path)).segments))
    assert left == [[1, 20], [2, 20], [3, 20], [4, 20], [1, 4, 20]]


def test_a_segment_that_is_half_dead_is_rewritten(engine, tmp_path):
    apply(engine, *(Article(id=f"a{n}", title=f"tide word{n}") for n in range(10)))
    apply(engine, *(f"a{n}" for n in range(5)))
    (one,) = contents.table(live(tmp_path)).segments
    assert (one.doc_count_all(), one.deleted_count()) == (10, 5)
    apply(engine, "a5")
    (one,) = contents.table(live(tmp_path)).segments
    assert (one.doc_count_all(), one.deleted_count()) == (4, 0)
    assert b"word5" not in one.file(live(tmp_path)).read_bytes()
    apply(engine, *(f"a{n}" for n in range(6, 10)))
    assert contents.table(live(tmp_path)).segments == []
    assert list(live(tmp_path).glob("*.arr")) == []


def test_the_manifest_tells_of_every_commit(engine, tmp_path):
    for n in range(9):
        apply(engine, Article(id=f"a{n}", title="tide"), f"a{n - 4}")
        manifest = generations.check(live(tmp_path))
        assert manifest.articles == engine.status().articles
        assert manifest.last == contents.applied(live(tmp_path))
        names = {path.name for path in live(tmp_path).iterdir()} - {"manifest.json"}
        assert names == set(manifest.files)


def test_a_damaged_segment_is_said_and_is_no_empty_answer(engine, tmp_path):
    apply(engine, Article(id="a", title="tide"))
    (path,) = live(tmp_path).glob("*.arr")
    path.write_bytes(path.read_bytes()[:50])
    other = connect(f"whoosh:{tmp_path / 'index'}")
    for call in (other.status, lambda: other.article("a")):
        with pytest.raises(IndexCorrupt, match=path.name):
            call()
    other.close()
    with pytest.raises(IndexCorrupt, match=path.name):
        generations.check(live(tmp_path))


def family(size):
    """So many words of one stem: a hostile text can have them, no language does."""
    chains = (
        (
            "",
            *[
                "ement",
                "ance",
                "ence",
                "able",
                "ible",
                "ment",
                "ant",
                "ent",
                "ism",
                "ate",
                "iti",
                "ous",
                "ive",
                "ize",
                "ion",
                "al",
                "er",
                "ic",
                "ative",
                "icate",
                "ful",
                "ness",
            ],
        ),
        (
            "",
            *[
                "ization",
                "ational",
                "fulness",
                "ousness",
                "iveness",
                "tional",
                "biliti",
                "lessli",
                "entli",
                "ation",
                "alism",
                "aliti",
                "ousli",
                "ly",
            ],
        ),
        ("", "ed", "ing", "edly", "ingly"),
        ("", "s"),
    )
    words = {"gratend" + "".join(chain) for chain in product(*chains)}
    same = sorted(word for word in words if analysis.stem(word) == analysis.stem("gratend"))
    assert len(same) >= size, len(same)
    return same[:size]


@pytest.mark.parametrize("size", [254, 255, 256, 257, 300])
def test_a_stem_of_more_forms_than_a_byte_has_numbers(engine, size):
    """By occurrence then; in a segment that is made at once, in one that is merged, and for a word as for a phrase."""
    words = family(size)
    apply(engine, *(Article(id=f"a{n}", title=word) for n, word in enumerate(words) if n % 2))
    apply(engine, *(Article(id=f"a{n}", title=word) for n, word in enumerate(words) if not n % 2))
    for n in (0, 1, size // 2, size - 1):
        assert [hit.article.id for hit in engine.search(query.parse(f'"{words[n]}"')).hits] == [f"a{n}"]
        found = engine.search(query.parse(words[n], per_page=1))
        assert (found.total, found.hits[0].article.id) == (size, f"a{n}")
    assert engine.status().pending == 0
