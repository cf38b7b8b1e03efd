"""Limits: what a document may ask for, judged in one pass over it, however its fragments double."""

from __future__ import annotations

import time

import pytest
from graphql import build_schema, parse, validate

from app.graphql.limits import LIMITS, DocumentLimits, Limits, Meter, document_cost, find_excess

SCHEMA = build_schema("""
  type Query {
    me: User  users(first: Int = 50): UserConnection!  tags: [String!]!  everyone: [User!]!
    top(first: Int): [User!]!
  }
  type Mutation { rename(name: String!): User }
  type User { name: String  friend: User  friends: [User!]!  users(first: Int = 50): UserConnection!
    series: String }
  type UserConnection { edges: [UserEdge!]!  pageInfo: PageInfo!  totalCount: Int! }
  type UserEdge { cursor: String!  node: User! }
  type PageInfo { hasNextPage: Boolean! }
""")


def cost(text: str) -> int:
    return document_cost(SCHEMA, parse(text))


def excess(text: str) -> str | None:
    found = find_excess(SCHEMA, parse(text))
    return None if found is None else str(found)


def test_a_plain_document_is_within_the_limits():
    assert (
        excess("{ users(first: 20) { edges { node { name } } pageInfo { hasNextPage } } }") is None
    )


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("{ me { name } }", 2),
        ("{ users(first: 20) { edges { node { name } } } }", 1 + 20),
        ("{ users(first: 20) { totalCount edges { node { name } } } }", 1 + 20 * 2),
        ("{ users { edges { node { name } } } }", 1 + 50),  # the argument's default
        ("query($n: Int) { users(first: $n) { edges { node { name } } } }", 1 + 200),
        ("{ everyone { name } }", 1 + 50),  # a list without a page argument
        ("{ top { name } }", 1 + 50),  # a page argument without a default
        ("{ tags }", 1),
        ("{ me { series } }", 51),  # a field with a weight of its own
        ("{ users(first: 0) { edges { node { name } } } }", 1 + 1),
    ],
)
def test_the_cost_is_a_point_a_field_times_the_rows_of_its_page(text, points):
    assert cost(text) == points


def test_a_page_of_300_000_is_refused_as_a_literal_and_counts_as_200_as_a_variable():
    literal = "{ users(first: 300000) { edges { node { name } } } }"
    variable = "query($n: Int = 300000) { users(first: $n) { edges { node { name } } } }"
    assert excess(literal) == "The document costs 300001 points; 10000 are allowed."
    assert excess(variable) is None


def test_lists_in_lists_are_refused():
    assert excess("{ everyone { friends { friends { name } } } }") == (
        "The document costs 127551 points; 10000 are allowed."
    )


def test_ten_levels_pass_and_eleven_do_not():
    def nested(levels: int) -> str:
        return "{ me " + "{ friend " * (levels - 2) + "{ name }" + " }" * (levels - 1)

    assert excess(nested(10)) is None
    assert excess(nested(11)) == "The document is too deep; 10 levels are allowed."


def test_edges_nodes_and_inline_fragments_add_no_depth():
    levels = 9
    opening = "users(first: 1) { edges { node { ... on User { "
    text = "{ " + opening * levels + "name" + " } } } }" * levels + " }"
    assert excess(text) is None
    assert excess("{ me " + text + " }") == "The document is too deep; 10 levels are allowed."


def test_depth_counts_through_fragments():
    fragments = "".join(
        f"fragment F{i} on User {{ friend {{ friend {{ ...F{i + 1} }} }} }} " for i in range(6)
    )
    text = "{ me { ...F0 } } " + fragments + "fragment F6 on User { name }"
    assert excess(text) == "The document is too deep; 10 levels are allowed."


def test_fifteen_aliases_pass_and_sixteen_do_not():
    def aliased(count: int) -> str:
        return "{ me { " + " ".join(f"a{i}: name" for i in range(count)) + " } }"

    assert excess(aliased(15)) is None
    assert excess(aliased(16)) == "The document has 16 aliases; 15 are allowed."


def test_aliases_in_fragments_count_at_every_spread():
    spreads = " ".join("me { ...F }" for _ in range(10))
    fragment = "fragment F on User { " + " ".join(f"a{i}: name" for i in range(14)) + " }"
    assert excess(f"{{ {spreads} }} {fragment}") == "The document has 140 aliases; 15 are allowed."


def test_root_fields_and_mutations_are_counted_through_fragments():
    names = " ".join(["tags"] * 21)
    assert excess("{ ...F } fragment F on Query { " + names + " }") == (
        "The operation has 21 root fields; 20 are allowed."
    )
    renames = " ".join(['rename(name: "x") { name }'] * 6)
    assert excess("mutation { ... { " + renames + " } }") == (
        "The operation has 6 mutations; 5 are allowed."
    )


def test_every_operation_of_a_document_is_judged():
    deep = "query B { everyone { friends { friends { name } } } }"
    assert excess("query A { me { name } } " + deep) is not None


def test_definitions_and_directives_are_counted():
    assert excess(" ".join(f"query Q{i} {{ tags }}" for i in range(11))) == (
        "The document has 11 definitions; 10 are allowed."
    )
    skip = "@skip(if: false) " * 4
    for text in (f"{{ tags {skip} }}", f"query {skip} {{ tags }}", f"{{ ... {skip} {{ tags }} }}"):
        assert excess(text) == "One place of the document has 4 directives; 3 are allowed."
    unused = "fragment F on User { name " + skip + "}"
    assert excess("{ tags } " + unused) is not None


def test_cycles_and_unknown_names_are_left_to_the_specification():
    cycle = "{ me { ...A } } fragment A on User { ...B } fragment B on User { friend { ...A } }"
    assert excess(cycle) is None
    assert excess("{ me { ...Nowhere nothing { deeper } } }") is None
    assert [e.message for e in validate(SCHEMA, parse(cycle))]


def test_introspection_is_not_measured():
    text = "{ __schema { types { fields { args { type { ofType { ofType { name } } } } } } } }"
    assert cost(text) == 1


def test_nesting_without_fields_is_stopped():
    text = "{ " + "... { " * 150 + "tags" + " }" * 150 + " }"
    assert excess(text) == "The document is too deep; 10 levels are allowed."


def bomb(levels: int) -> str:
    """Each fragment spreads the next one twice: 2^levels fields when every spread is walked."""
    fragments = [f"fragment F{i} on User {{ ...F{i + 1} ...F{i + 1} }}" for i in range(levels)]
    return "{ me { ...F0 } } " + " ".join(fragments) + f" fragment F{levels} on User {{ a: name }}"


@pytest.mark.parametrize("levels", [18, 60, 90])
def test_a_fragment_bomb_is_measured_in_steps_that_grow_with_its_length(levels):
    document = parse(bomb(levels))
    meter = Meter(SCHEMA, document, Limits(nesting=1000))
    total = meter.measure_operation(document.definitions[0])
    assert meter.steps == 2 * levels + 3
    assert total.cost == min(10**12, 2**levels + 1)
    assert total.aliases == min(10**12, 2**levels)


def test_the_verdict_on_90_doubling_levels_takes_no_time():
    document = parse(bomb(90))
    begin = time.process_time()
    excesses = [
        find_excess(SCHEMA, document),
        find_excess(SCHEMA, document, Limits(definitions=1000)),
        find_excess(SCHEMA, document, Limits(definitions=1000, nesting=1000)),
    ]
    assert all(excesses)
    assert time.process_time() - begin < 1.0  # 1 ms here; walking every spread would not end


def test_the_rule_reports_the_first_excess_with_its_cause():
    errors = validate(SCHEMA, parse(bomb(90)), [DocumentLimits])
    assert [error.message for error in errors] == [
        "The document has 92 definitions; 10 are allowed."
    ]
    assert errors[0].original_error.code == "TOO_COSTLY"
    assert errors[0].original_error.values == {"value": 92, "bound": LIMITS.definitions}
