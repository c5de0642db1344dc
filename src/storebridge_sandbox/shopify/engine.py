"""GraphQL on Shopify's schema: graphql-core parses, validates and coerces, once per query text; a compiled plan
executes, because a simulation runs the same few queries a million times.

Resolvers are plain functions ``(source, args, call) -> value`` registered per type and field; leaf values are
returned as JSON has them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    build_schema,
    execute_sync,
    get_named_type,
    get_variable_values,
    is_abstract_type,
    is_enum_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    parse,
)
from graphql.execution.values import VariableValues, get_argument_values

from storebridge_sandbox.collecting import without_collecting
from storebridge_sandbox.shopify.cost import CostRule
from storebridge_sandbox.shopify.errors import (
    Refusal,
    explain_variables,
    ruby_syntax_error,
    ruby_validation_error,
    variable_error,
    wrong_ids,
)
from storebridge_sandbox.shopify.ids import kind_of
from storebridge_sandbox.shopify.ruby_words import place
from storebridge_sandbox.shopify.scalars import strict
from storebridge_sandbox.shopify.validation import unfit
from storebridge_sandbox.shopify.vendor_order import in_vendor_order
from storebridge_sandbox.sleeping import only_looking

Resolver = Callable[[Any, dict[str, Any], Any], Any]
SCHEMA_FILE = Path(__file__).with_name("schema.graphql")
REMEMBERED = 512


@cache
def load_schema() -> GraphQLSchema:
    """The pruned schema; parsed once per process."""
    text = SCHEMA_FILE.read_text(encoding="utf-8")
    with without_collecting():
        return in_vendor_order(strict(build_schema(text, assume_valid=True, no_location=True)))


@dataclass(slots=True)
class Answered:
    """``data`` is None when nothing was executed; ``errors`` as they go on the wire."""

    data: dict[str, Any] | None
    errors: list[dict[str, Any]] = field(default_factory=list)
    executed: bool = True


@dataclass(slots=True)
class _Step:
    """One field of a plan."""

    key: str
    name: str
    node: FieldNode
    definition: Any
    resolve: Resolver
    fixed_args: dict[str, Any] | None
    shape: _Shape
    plan: _Plan | None
    conditions: tuple[DirectiveNode, ...]
    allowed: frozenset[str] | None = None
    """The values of the enum that the field has, where it has one."""


@dataclass(slots=True, frozen=True)
class _Shape:
    """How a value is completed: nested lists and non-nulls around a leaf or an object."""

    kind: str
    inner: _Shape | None = None


@dataclass(slots=True)
class _Plan:
    """The steps for each concrete type that a selection may meet."""

    type_name: str | None
    steps: dict[str, list[_Step]]


class _Failed(Exception):
    """Goes up to the nearest field that may be null."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.error = error


@dataclass(slots=True)
class Prepared:
    """A query text, parsed, validated and compiled for one operation name."""

    operation: OperationDefinitionNode
    plan: _Plan
    cost: CostRule
    name: str
    root_fields: tuple[str, ...]
    input_locations: list[dict[str, int]] = field(default_factory=list)
    deprecated: tuple[str, ...] = ()


class Engine:
    """Prepares and runs operations against a registry of resolvers."""

    def __init__(self, schema: GraphQLSchema, resolvers: Mapping[tuple[str, str], Resolver]) -> None:
        self.schema = schema
        self._resolvers = resolvers
        self._prepared: OrderedDict[tuple[str, str | None], Prepared | list[dict[str, Any]]] = OrderedDict()

    def prepare(self, text: str, operation_name: str | None) -> Prepared | list[dict[str, Any]]:
        """A plan, or the errors to answer with; remembered per text and operation name."""
        known = self._prepared.get((text, operation_name))
        if known is None:
            known = self._prepare(text, operation_name)
            self._prepared[(text, operation_name)] = known
            if len(self._prepared) > REMEMBERED:
                self._prepared.popitem(last=False)
        return known

    def coerce(self, prepared: Prepared, variables: Mapping[str, Any]) -> VariableValues | list[dict[str, Any]]:
        """Variables as resolvers get them, or the errors to answer with."""
        definitions = prepared.operation.variable_definitions or ()
        coerced = get_variable_values(self.schema, definitions, dict(variables))
        if isinstance(coerced, list):
            errors = [variable_error(error, definitions, variables) for error in coerced]
            return explain_variables(errors, definitions, variables, self.schema)
        return wrong_ids(definitions, variables, self.schema) or coerced

    def run(self, prepared: Prepared, variables: Any, call: Any) -> Answered:
        """Execute; every root field of a mutation runs in order."""
        root = self.schema.mutation_type if _is_mutation(prepared) else self.schema.query_type
        assert root is not None
        answered = Answered({})
        run = _Run(self.schema, variables, call, answered.errors)
        try:
            with only_looking(yes=not _is_mutation(prepared)):
                answered.data = run.fields(prepared.plan, root.name, None, ())
        except _Failed as failed:
            answered.errors.append(failed.error)
            answered.data = None
        return answered

    def _prepare(self, text: str, operation_name: str | None) -> Prepared | list[dict[str, Any]]:
        document = _checked(self.schema, text)
        if isinstance(document, list):
            return document
        operation = _pick(document, operation_name)
        if operation is None:
            unknown = f'No operation named "{operation_name}"'
            return [{"message": unknown if operation_name else "An operation name is required"}]
        compiler = _Compiler(self.schema, self._resolvers, _fragments(document))
        mutation = operation.operation is OperationType.MUTATION
        root = self.schema.mutation_type if mutation else self.schema.query_type
        plan = compiler.plan([operation.selection_set], root)
        assert root is not None
        roots = tuple(step.name for step in plan.steps[root.name])
        name = operation.name.value if operation.name else ""
        places = [place(one) for one in operation.variable_definitions or () if one.variable.name.value == "input"]
        deprecated = tuple(dict.fromkeys(compiler.deprecated))
        cost = _cost_rule(self.schema, text, operation_name)
        return Prepared(operation, plan, cost, name, roots, places, deprecated)


@lru_cache(maxsize=REMEMBERED)
def _checked(schema: GraphQLSchema, text: str) -> DocumentNode | list[dict[str, Any]]:
    """The text as a document, or the errors to answer with. Shops of one process share it: checking a text takes a
    hundred times as long as running it."""
    try:
        document = parse(text)
    except GraphQLError as error:
        return [ruby_syntax_error(error)]
    errors = unfit(schema, document)
    return [ruby_validation_error(error, document, schema) for error in errors] or document


@lru_cache(maxsize=REMEMBERED)
def _cost_rule(schema: GraphQLSchema, text: str, operation_name: str | None) -> CostRule:
    """Of a text that was found to be sound; shared as well."""
    document = _checked(schema, text)
    assert isinstance(document, DocumentNode)
    operation = _pick(document, operation_name)
    assert operation is not None
    return CostRule(schema, operation, _fragments(document))


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}


def _is_mutation(prepared: Prepared) -> bool:
    return prepared.operation.operation is OperationType.MUTATION


def _pick(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if name:
        return next((node for node in operations if node.name and node.name.value == name), None)
    return operations[0] if len(operations) == 1 else None


class _Compiler:
    """Turns selections into plans: fields collected, fragments opened, resolvers looked up."""

    def __init__(
        self,
        schema: GraphQLSchema,
        resolvers: Mapping[tuple[str, str], Resolver],
        fragments: dict[str, FragmentDefinitionNode],
    ) -> None:
        self._schema = schema
        self._resolvers = resolvers
        self._fragments = fragments
        self.deprecated: list[str] = []

    def plan(self, selections: list[SelectionSetNode], kind: Any) -> _Plan:
        if is_abstract_type(kind):
            types = self._schema.get_possible_types(kind)
            return _Plan(None, {one.name: self._steps(selections, one) for one in types})
        return _Plan(kind.name, {kind.name: self._steps(selections, kind)})

    def _steps(self, selections: list[SelectionSetNode], kind: GraphQLObjectType) -> list[_Step]:
        collected: dict[str, list[tuple[FieldNode, tuple[DirectiveNode, ...]]]] = {}
        for selection in selections:
            self._collect(selection, kind, (), collected)
        return [self._step(key, nodes, kind) for key, nodes in collected.items()]

    def _collect(
        self,
        selection: SelectionSetNode,
        kind: GraphQLObjectType,
        conditions: tuple[DirectiveNode, ...],
        collected: dict[str, list[tuple[FieldNode, tuple[DirectiveNode, ...]]]],
    ) -> None:
        for node in selection.selections:
            here = conditions + tuple(one for one in node.directives or () if one.name.value in ("skip", "include"))
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                collected.setdefault(key, []).append((node, here))
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition.name.value if node.type_condition else kind.name
                if self._applies(condition, kind):
                    self._collect(node.selection_set, kind, here, collected)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self._fragments[node.name.value]
                if self._applies(fragment.type_condition.name.value, kind):
                    self._collect(fragment.selection_set, kind, here, collected)

    def _applies(self, condition: str, kind: GraphQLObjectType) -> bool:
        target: Any = self._schema.type_map[condition]
        return target is kind or (is_abstract_type(target) and self._schema.is_sub_type(target, kind))

    def _step(
        self, key: str, nodes: list[tuple[FieldNode, tuple[DirectiveNode, ...]]], kind: GraphQLObjectType
    ) -> _Step:
        node, conditions = nodes[0]
        name = node.name.value
        if name == "__typename":
            return _Step(key, name, node, None, _typename(kind.name), {}, _Shape("leaf"), None, conditions)
        definition = kind.fields[name] if not name.startswith("__") else None
        if definition is None:
            asked = _introspection(self._schema, node, self._fragments)
            return _Step(key, name, node, None, asked, {}, _Shape("leaf"), None, conditions)
        if definition.deprecation_reason is not None:
            self.deprecated.append(f"{kind.name}.{name}")
        target = get_named_type(definition.type)
        plan = None
        if not is_leaf_type(target):
            plan = self.plan([one.selection_set for one, _ in nodes if one.selection_set], target)
        uses_variables = any(_has_variable(argument.value) for argument in node.arguments or ())
        fixed = None if uses_variables else get_argument_values(definition, node, None)
        return _Step(
            key, name, node, definition, self._resolver(kind, name, definition), fixed,
            _shape(definition.type), plan, conditions, frozenset(target.values) if is_enum_type(target) else None,
        )  # fmt: skip

    def _resolver(self, kind: GraphQLObjectType, name: str, definition: Any) -> Resolver:
        known = self._resolvers.get((kind.name, name))
        if known is not None:
            target = get_named_type(definition.type)
            by_id = kind is self._schema.query_type and "id" in definition.args and is_object_type(target)
            return _of_kind(known, target.name) if by_id else known
        for family in ("Connection", "Edge", "UserError", "UserErrors"):
            if kind.name.endswith(family) and (family, name) in self._resolvers:
                return self._resolvers[(family, name)]
        return held_field(name, definition.type)


def _of_kind(resolve: Resolver, kind: str) -> Resolver:
    """A question for one thing by its id: an id of another kind, or number 0, is refused and not merely unknown."""

    def resolved(source: Any, args: dict[str, Any], call: Any) -> Any:
        asked = args.get("id")
        if asked is not None and (kind_of(asked) != kind or asked.endswith("/0")):
            raise Refusal(f"Invalid id: {asked}", "RESOURCE_NOT_FOUND")
        return resolve(source, args, call)

    return resolved


def _typename(name: str) -> Resolver:
    return lambda _source, _args, _call: name


def _introspection(schema: GraphQLSchema, node: FieldNode, fragments: dict[str, FragmentDefinitionNode]) -> Resolver:
    """``__schema`` and ``__type`` are answered by graphql-core itself."""

    def resolve(_source: Any, _args: dict[str, Any], call: Any) -> Any:
        declared = tuple(getattr(call, "declared", ()))
        operation = OperationDefinitionNode(
            operation=OperationType.QUERY,
            variable_definitions=declared,
            selection_set=SelectionSetNode(selections=(node,)),
        )
        document = DocumentNode(definitions=(operation, *fragments.values()))
        answer = execute_sync(schema, document, variable_values=getattr(call, "variables", None))
        return next(iter((answer.data or {"": None}).values()))

    return resolve


def held_field(name: str, declared: Any) -> Resolver:
    """A field without a resolver of its own: what a mapping holds under its name, else what a store without such
    things answers: null, an empty list, an empty connection."""
    required = is_non_null_type(declared)
    inner = declared.of_type if required else declared
    connection = get_named_type(inner).name.endswith("Connection")

    def resolve(source: Any, _args: dict[str, Any], _call: Any) -> Any:
        value = source.get(name) if isinstance(source, dict) else None
        if value is not None or not required:
            return value
        if is_list_type(inner):
            return []
        if connection:
            return NOTHING
        return None

    return resolve


@dataclass(frozen=True, slots=True)
class Nothing:
    """A connection without nodes."""

    nodes: tuple[Any, ...] = ()
    places: tuple[Any, ...] = ()
    has_next: bool = False
    has_previous: bool = False
    cursors: tuple[str, ...] = ()

    def cursor_at(self, _index: int) -> None:
        return None


NOTHING = Nothing()


def _shape(kind: Any) -> _Shape:
    if is_non_null_type(kind):
        return _Shape("non_null", _shape(kind.of_type))
    if is_list_type(kind):
        return _Shape("list", _shape(kind.of_type))
    return _Shape("leaf" if is_leaf_type(kind) else "object")


def _has_variable(node: Any) -> bool:
    if node.kind == "variable":
        return True
    inner = [*(getattr(node, "values", None) or ()), *(getattr(node, "fields", None) or ())]
    return any(_has_variable(getattr(one, "value", one) if one.kind == "object_field" else one) for one in inner)


class _Run:
    """One execution."""

    def __init__(self, schema: GraphQLSchema, variables: Any, call: Any, errors: list[dict[str, Any]]) -> None:
        self._schema = schema
        self._variables = variables
        self._call = call
        self._errors = errors
        self._args: dict[int, dict[str, Any]] = {}

    def fields(self, plan: _Plan, type_name: str, source: Any, path: tuple[Any, ...]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        call = self._call
        for step in plan.steps[type_name]:
            if step.conditions and not self._included(step):
                continue
            args = step.fixed_args
            if args is None:
                args = self._arguments(step)
            shape = step.shape
            try:
                value = step.resolve(source, args, call)
                if shape.kind == "leaf" or (shape.inner is not None and shape.inner.kind == "leaf"):
                    if value is None and shape.kind == "non_null":
                        raise self._null_error(step)
                    if step.allowed is not None and value is not None:
                        self._check_listed(step, value)
                    out[step.key] = value
                else:
                    out[step.key] = self._complete(step, shape, value, (*path, step.key))
            except Refusal as refusal:
                self._fail(step, out, refusal.as_error(step.node, self._call), path)
            except _Failed as failed:
                self._fail(step, out, failed.error, path)
        return out

    def _fail(self, step: _Step, out: dict[str, Any], error: dict[str, Any], path: tuple[Any, ...]) -> None:
        error.setdefault("path", [*path, step.key])
        if step.shape.kind == "non_null":
            raise _Failed(error)
        self._errors.append(error)
        out[step.key] = None

    def _null_error(self, step: _Step) -> _Failed:
        message = f"Cannot return null for non-nullable field {step.name}."
        return _Failed({"message": message, "extensions": {"code": "INTERNAL_SERVER_ERROR"}})

    def _check_listed(self, step: _Step, value: Any) -> None:
        """A value that its enum does not list is an error of the server, as it is one of graphql-ruby's."""
        assert step.allowed is not None
        for one in value if isinstance(value, list | tuple) else (value,):
            if one is not None and one not in step.allowed:
                told = f"`{step.name}` is {one!r}, which is no value of its enum."
                raise _Failed({"message": told, "extensions": {"code": "INTERNAL_SERVER_ERROR"}})

    def _complete(self, step: _Step, shape: _Shape, value: Any, path: tuple[Any, ...]) -> Any:
        if shape.kind == "non_null":
            assert shape.inner is not None
            if value is None:
                raise self._null_error(step)
            return self._complete(step, shape.inner, value, path)
        if value is None or shape.kind == "leaf":
            return value
        if shape.kind == "list":
            assert shape.inner is not None
            return [self._complete(step, shape.inner, one, (*path, n)) for n, one in enumerate(value)]
        plan = step.plan
        assert plan is not None
        type_name = plan.type_name or type_of(value)
        if type_name not in plan.steps:
            raise self._null_error(step)
        return self.fields(plan, type_name, value, path)

    def _arguments(self, step: _Step) -> dict[str, Any]:
        known = self._args.get(id(step))
        if known is None:
            known = self._args[id(step)] = get_argument_values(step.definition, step.node, self._variables)
        return known

    def _included(self, step: _Step) -> bool:
        for directive in step.conditions:
            value = (directive.arguments or ())[0].value
            if isinstance(value, BooleanValueNode):
                truth = value.value
            else:
                truth = bool(_variable(self._variables, value.name.value))  # type: ignore[attr-defined]
            if truth is (directive.name.value == "skip"):
                return False
        return True


def _variable(variables: Any, name: str) -> Any:
    coerced = getattr(variables, "coerced", variables)
    return coerced.get(name)


def type_of(value: Any) -> str:
    """The GraphQL type of a state object: said by the object, or its class's own name."""
    own_name = type(value).__name__
    name: str = value["__typename"] if isinstance(value, dict) else getattr(value, "graphql_type", own_name)
    return name
