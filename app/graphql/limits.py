"""How much one document may ask for: depth, cost, aliases, root fields, in one linear pass.

Each fragment is measured once and remembered, so that fragments which double from level to level
cost nothing to judge (a limiter that walks every spread again takes twice as long a level). No
variable's value is read: a variable counts as the largest page, so the verdict may be cached.
Cycles and unknown names are passed over; the rules of the specification report them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValidationRule,
    VariableNode,
    get_named_type,
    is_required_argument,
)
from graphql.pyutils import Undefined

from app.errors import TooCostly
from app.translations import N_

FREE: Final = frozenset({"edges", "node", "pageInfo"})
"""Relay's wrapping: no points and no depth of its own."""

WEIGHTS: Final = {
    "series": 50,
    "bars": 20,
    "events": 20,
    "quarantine": 20,
    "revisions": 20,
    "stored": 20,
    "dataHealth": 50,
    "searchSource": 100,
    "trackRecord": 100,
    "correlation": 100,
    "pairCorrelation": 50,
    "leadLag": 200,
}
"""Fields that cost more than one point, because each makes a query of its own."""

SIZES: Final = {
    "actions": 4,
    "calibration": 10,
    "reasons": 6,
    "recommendationIssues": 2,
    "records": 4,
}
"""Lists that are never longer than this."""

PASSWORDS: Final = frozenset(
    {
        "signIn",
        "register",
        "refresh",
        "changePassword",
        "changeEmail",
        "confirmSecondFactor",
        "renewRecoveryCodes",
        "turnOffSecondFactor",
        "deleteAccount",
        "requestPasswordReset",
        "resetPassword",
        "confirmEmail",
        "linkProvider",
        "startDemo",
        "unlinkProvider",
    }
)
"""Fields that try a password or a token: one in an operation, so that tries are counted singly."""

TOO_MANY_DEFINITIONS: Final = N_("The document has %(value)d definitions; %(bound)d are allowed.")
TOO_MANY_DIRECTIVES: Final = N_(
    "One place of the document has %(value)d directives; %(bound)d are allowed."
)
TOO_DEEP: Final = N_("The document is too deep; %(bound)d levels are allowed.")
TOO_MANY_ALIASES: Final = N_("The document has %(value)d aliases; %(bound)d are allowed.")
TOO_MANY_ROOT_FIELDS: Final = N_("The operation has %(value)d root fields; %(bound)d are allowed.")
TOO_MANY_MUTATIONS: Final = N_("The operation has %(value)d mutations; %(bound)d are allowed.")
TOO_MANY_PASSWORDS: Final = N_("The operation tries to sign in %(value)d times; once is allowed.")
TOO_DEAR: Final = N_("The document costs %(value)d points; %(bound)d are allowed.")


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest document that is executed; `page` and `list_size` are what a list counts as."""

    definitions: int = 10
    directives: int = 3
    depth: int = 10
    aliases: int = 15
    root_fields: int = 20
    mutations: int = 5
    passwords: int = 1
    cost: int = 10_000
    page: int = 200
    list_size: int = 50
    nesting: int = 100
    cap: int = 10**12


@dataclass(frozen=True, slots=True)
class Measure:
    """What a selection comes to: levels, points, aliases, tries, the fields of its first level."""

    depth: int = 0
    cost: int = 0
    aliases: int = 0
    passwords: int = 0
    fields: int = 0


LIMITS: Final = Limits()


class Meter:
    """Measures one document. `steps` counts the selections looked at, each of them once."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, limits: Limits) -> None:
        self.limits = limits
        self.steps = 0
        self.directives = 0
        self._schema = schema
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._known: dict[str, Measure] = {}

    def measure_fragment(self, name: str, nesting: int = 0) -> Measure:
        """What the fragment of that name comes to: nothing when it is unknown or spreads itself."""
        if name not in self._known and name in self._fragments:
            self._known[name] = Measure()  # while it is being measured: a cycle adds nothing
            node = self._fragments[name]
            self._note(node)
            on = node.type_condition.name.value
            if not on.startswith("__"):  # introspection, as below
                parent = self._schema.get_type(on)
                self._known[name] = self.measure(node.selection_set, parent, nesting + 1)
        return self._known.get(name, Measure())

    def measure_operation(self, node: OperationDefinitionNode) -> Measure:
        """What an operation comes to; `fields` is the number of its root fields."""
        self._note(node)
        for variable in node.variable_definitions or ():
            self._note(variable)
        return self.measure(node.selection_set, self._schema.get_root_type(node.operation))

    def measure(
        self, selections: SelectionSetNode | None, parent: GraphQLNamedType | None, nesting: int = 0
    ) -> Measure:
        """The sum of a selection set; `parent` None: a type that the schema does not know."""
        if selections is None:
            return Measure()
        if nesting > self.limits.nesting:
            return Measure(depth=self.limits.cap)
        parts = [self._measure_one(node, parent, nesting) for node in selections.selections]
        cap = self.limits.cap
        return Measure(
            depth=max((part.depth for part in parts), default=0),
            cost=min(cap, sum(part.cost for part in parts)),
            aliases=min(cap, sum(part.aliases for part in parts)),
            passwords=min(cap, sum(part.passwords for part in parts)),
            fields=min(cap, sum(part.fields for part in parts)),
        )

    def _measure_one(self, node: Node, parent: GraphQLNamedType | None, nesting: int) -> Measure:
        self.steps += 1
        self._note(node)
        if isinstance(node, FragmentSpreadNode):
            return self.measure_fragment(node.name.value, nesting)
        if isinstance(node, InlineFragmentNode):
            on = node.type_condition
            inner = self._schema.get_type(on.name.value) if on else parent
            return self.measure(node.selection_set, inner, nesting + 1)
        assert isinstance(node, FieldNode)  # noqa: S101 - the grammar has no fourth selection
        return self._measure_field(node, parent, nesting)

    def _measure_field(
        self, node: FieldNode, parent: GraphQLNamedType | None, nesting: int
    ) -> Measure:
        name = node.name.value
        aliases = 1 if node.alias else 0
        if name in {"__schema", "__type"}:  # refused elsewhere unless SISE_DEV
            return Measure(depth=1, cost=1, aliases=aliases, fields=1)
        definition = _find_field(parent, name)
        named = get_named_type(definition.type) if definition else None
        inner = self.measure(node.selection_set, named, nesting + 1)
        free = name in FREE
        size = 1 if free else self._page_size(node, definition)
        cost = (0 if free else WEIGHTS.get(name, 1)) + size * inner.cost
        return replace(
            inner,
            depth=inner.depth + (0 if free else 1),
            cost=min(self.limits.cap, cost),
            aliases=min(self.limits.cap, inner.aliases + aliases),
            passwords=min(self.limits.cap, inner.passwords + (name in PASSWORDS)),
            fields=1,
        )

    def _page_size(self, node: FieldNode, definition: GraphQLField | None) -> int:
        """How many times the children may come: the literal, or what a variable may hold."""
        for argument in node.arguments or ():
            if argument.name.value == "first":
                if isinstance(argument.value, IntValueNode):
                    return max(1, int(argument.value.value))
                if isinstance(argument.value, VariableNode):
                    return self.limits.page
        first = definition.args.get("first") if definition else None
        if first is not None and not is_required_argument(first):
            default = _default(first)
            return default if isinstance(default, int) else self.limits.list_size
        if definition is None or not _is_list(definition.type):
            return 1
        return SIZES.get(node.name.value, self.limits.list_size)

    def _note(self, node: Node) -> None:
        self.directives = max(self.directives, len(getattr(node, "directives", None) or ()))


def find_excess(
    schema: GraphQLSchema, document: DocumentNode, limits: Limits = LIMITS
) -> TooCostly | None:
    """The first limit that the document goes over; every operation and fragment is looked at."""
    count = len(document.definitions)
    if count > limits.definitions:
        return TooCostly(TOO_MANY_DEFINITIONS, value=count, bound=limits.definitions)
    meter = Meter(schema, document, limits)
    totals = list(_measure_all(meter, document))
    if meter.directives > limits.directives:
        return TooCostly(TOO_MANY_DIRECTIVES, value=meter.directives, bound=limits.directives)
    return next((e for node, total in totals for e in _compare(node, total, limits)), None)


@lru_cache(maxsize=64)
def document_cost(schema: GraphQLSchema, document: DocumentNode) -> int:
    """The points of the dearest operation of a document."""
    totals = _measure_all(Meter(schema, document, LIMITS), document)
    return max((total.cost for _, total in totals), default=0)


class DocumentLimits(ValidationRule):
    """The limits as a rule of validation, at its end once a document; it looks at no node itself.

    There is one class, made at import: the cache of verdicts goes by the class.
    """

    def enter_document(self, node: DocumentNode, *_args: Any) -> None:
        """Reports the first excess."""
        excess = find_excess(self.context.schema, node)
        if excess is not None:
            self.report_error(GraphQLError(str(excess), original_error=excess))


def _measure_all(
    meter: Meter, document: DocumentNode
) -> Iterator[tuple[OperationDefinitionNode | None, Measure]]:
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            yield definition, meter.measure_operation(definition)
        elif isinstance(definition, FragmentDefinitionNode):
            yield None, meter.measure_fragment(definition.name.value)


def _compare(
    node: OperationDefinitionNode | None, total: Measure, limits: Limits
) -> Iterator[TooCostly]:
    root_fields = total.fields if node is not None else 0
    mutations = root_fields if node and node.operation is OperationType.MUTATION else 0
    for message, value, bound in (
        (TOO_DEEP, total.depth, limits.depth),
        (TOO_MANY_ALIASES, total.aliases, limits.aliases),
        (TOO_MANY_ROOT_FIELDS, root_fields, limits.root_fields),
        (TOO_MANY_MUTATIONS, mutations, limits.mutations),
        (TOO_MANY_PASSWORDS, total.passwords, limits.passwords),
        (TOO_DEAR, total.cost, limits.cost),
    ):
        if value > bound:
            yield TooCostly(message, value=value, bound=bound)


def _find_field(parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
    if isinstance(parent, (GraphQLObjectType, GraphQLInterfaceType)):
        field: GraphQLField | None = parent.fields.get(name)
        return field
    return None


def _is_list(kind: GraphQLOutputType) -> bool:
    inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    return isinstance(inner, GraphQLList)


def _default(argument: GraphQLArgument) -> Any:
    if argument.default is not None:
        return argument.default.value
    return None if argument.default_value is Undefined else argument.default_value
