"""What a query selects of a record: fields, parents, kinds of parents, lists of children."""

from __future__ import annotations

from runner.emulator.database import quote
from runner.emulator.schema import Child
from runner.emulator.soql.conditions import condition
from runner.emulator.soql.context import ChildPages
from runner.emulator.soql.operands import AGGREGATES, column_of
from runner.emulator.soql.ordering import order_by
from runner.emulator.soql.scope import NAME_FIELDS, Column, Parents, Scope, no_column, no_relationship
from runner.emulator.soql.shape import Shape, found, json_value, written
from runner.emulator.soql.tree import Call, Item, Operand, Path, Query, TypeOf, When

FIELDS_LIMIT = 200
#: child queries of one query, and levels of records from the first down
MAX_CHILDREN, MAX_DEPTH = 20, 5


class Renderer:
    """Writes the records of one scope."""

    def __init__(self, scope: Scope, query: Query, depth: int = 1) -> None:
        self.depth = depth
        self.scope = scope
        self.context = scope.context
        self.query = query
        self._unnamed = 0

    def record(self) -> str:
        """The SQL of the JSON of a record."""
        shape = Shape()
        for item in self.query.items:
            match item.what:
                case Query():
                    name, sql = self._children(item.what)
                    shape.put(self.context, name, sql, item.position)
                case TypeOf():
                    self._type_of(shape, item.what)
                case _:
                    self._add(shape, item, item.what)
        return written(shape, self.scope)

    def _add(self, shape: Shape, item: Item, operand: Operand) -> None:
        for part in self.fields(operand):
            column = column_of(self.scope, part)
            self._check(item, part, column)
            name = item.alias or self._name(part, column)
            self._put(shape, column, name, item.position)

    def _put(self, shape: Shape, column: Column, name: str, position: int) -> None:
        target = shape
        for depth in range(len(shape.parents), len(column.parents)):
            target = target.below(self.context, column.parents[: depth + 1], position)
        target.put(self.context, name, json_value(column), position)

    def _check(self, item: Item, operand: Operand, column: Column) -> None:
        if item.alias is not None and isinstance(operand, Path):
            raise self.context.wrong(item.position, "only aggregate expressions use field aliasing")
        if column.aggregated:
            message = "only root queries support aggregate expressions"
            raise self.context.wrong(operand.position, message)
        if column.dated:
            raise self.context.wrong(operand.position, f"Field must be grouped or aggregated: {column.name}")

    def _name(self, operand: Operand, column: Column) -> str:
        if isinstance(operand, Path) or operand.function != "DISTANCE":
            return column.name
        self._unnamed += 1
        return f"expr{self._unnamed - 1}"

    def fields(self, operand: Operand) -> list[Operand]:
        """The fields that are meant: one, or all that FIELDS() stands for."""
        if not (isinstance(operand, Call) and operand.function == "FIELDS"):
            return [operand]
        word = operand.argument.names[0].upper() if isinstance(operand.argument, Path) else ""
        if word not in ("ALL", "STANDARD", "CUSTOM"):
            raise self.context.wrong(operand.position, "FIELDS takes ALL, STANDARD or CUSTOM")
        if word != "STANDARD" and (self.query.limit is None or self.query.limit > FIELDS_LIMIT):
            message = f"The SOQL FIELDS function must have a LIMIT of at most {FIELDS_LIMIT}"
            raise self.context.wrong(operand.position, message)
        return [
            Path(position=operand.position, names=(field.name,))
            for field in self.scope.item.fields
            if word == "ALL" or field.custom == (word == "CUSTOM")
        ]

    def _type_of(self, shape: Shape, what: TypeOf) -> None:
        """TYPEOF: other fields for each object that the reference may point to."""
        parents = self.scope.reach(what.path)
        tables = self.scope.tables(parents)
        if len(tables) == 1:
            message = f"TYPEOF is for a relationship to several objects, which {parents[-1]} is not"
            raise self.context.wrong(what.position, message)
        named = {case.object.lower(): case for case in what.cases if case.object is not None}
        self._check_cases(what, {table.item.name.lower() for table in tables})
        otherwise = next((case for case in what.cases if case.object is None), None)
        cases = []
        for table in tables:
            case = named.get(table.item.name.lower(), otherwise)
            whole = self._case(self.scope.narrow(parents, table), case) if case else "json_object()"
            cases.append(f"WHEN {found((table,))} THEN {whole}")
        target = shape
        for depth in range(len(parents) - 1):
            target = target.below(self.context, parents[: depth + 1], what.position)
        sql = f"json(CASE {' '.join(cases)} ELSE 'null' END)"
        target.put(self.context, parents[-1], sql, what.position)

    def _check_cases(self, what: TypeOf, known: set[str]) -> None:
        seen: set[str] = set()
        for case in what.cases:
            name = (case.object or "").lower()
            if case.object is not None and (name not in known or name in seen):
                message = f"sObject type '{case.object}' is not one that TYPEOF can choose here"
                raise self.context.wrong(case.position, message, "INVALID_TYPE")
            seen.add(name)

    def _case(self, parents: Parents, case: When) -> str:
        shape = Shape(parents=parents)
        for path in case.paths:
            if case.object is None:
                shape.put(self.context, path.names[-1], self._known_of_all(parents, path), path.position)
            else:
                column = self.scope.path(path, within=parents)
                self._put(shape, column, column.name, path.position)
        return written(shape, self.scope)

    def _known_of_all(self, parents: Parents, path: Path) -> str:
        """What ELSE may select: a field that records of any kind have, null where this kind has it not."""
        name = path.names[-1]
        if len(path.names) > 1 or name.lower() not in NAME_FIELDS:
            raise self.context.wrong(path.position, no_column(".".join(path.names), "Name"), "INVALID_FIELD")
        (table,) = self.scope.tables(parents)
        if name.lower() == "type":
            return f"'{table.item.name}'"
        field = table.item.field(table.item.name_field if name.lower() == "name" else name)
        return "NULL" if field is None else table.column(field.name)

    def _children(self, query: Query) -> tuple[str, str]:
        """A child query's name and the SQL of its JSON: a query result of its own, or null."""
        child = self._child(query)
        scope = Scope(self.context, self.context.schema.objects[child.object], query)
        place = len(self.context.children)
        if place >= MAX_CHILDREN:
            raise self.context.wrong(query.position, f"at most {MAX_CHILDREN} child queries are allowed")
        self.context.children.append(None)
        renderer = Renderer(scope, query, self.depth + 1)
        pages = renderer.pages(child.field.name)
        self.context.children[place] = pages
        return child.name or "", self._first_page(place, pages, query)

    def pages(self, reference: str) -> ChildPages:
        """The SQL of a child query, for the record whose id is ``:parent``."""
        scope, query = self.scope, self.query
        record = self.record()
        where = f"{scope.base.column(reference)} = :parent"
        if not self.context.asked.all_rows:
            where += f" AND {scope.base.column('IsDeleted')} = 0"
        if query.where is not None:
            where += f" AND ({condition(scope, query.where)})"
        sorting = order_by(scope, query)
        source = f"FROM {quote(scope.item.name)} {scope.base.alias}{scope.joins} WHERE {where}"
        return ChildPages(
            sql=f"SELECT {record} AS record, count(*) OVER () AS total {source}{sorting}"
            " LIMIT :length OFFSET :start",
            limit=query.limit,
            offset=query.offset or 0,
        )

    def _first_page(self, place: int, pages: ChildPages, query: Query) -> str:
        """`{"totalSize": …, "done": …, "records": […]}`, and where it goes on if that is not all.

        It nests as little as can be: SQLite's parser has a stack of 100.
        """
        size = self.context.asked.page_size
        length = size if query.limit is None else min(size, query.limit)
        base = self.context.bind(f"{self.context.asked.base_url}/query/")
        own_id = self.scope.base.column("Id")
        total = f"max(total) - {pages.offset}"
        total = total if query.limit is None else f"min({total}, {query.limit})"
        locator = f"""{base} || :cursor || '.{place}.' || {own_id} || '-{size}"'"""
        more = f"""',"done":false,"nextRecordsUrl":"' || {locator}"""
        result = (
            f"""'{{"totalSize":' || ({total}) || iif({total} > {size}, {more}, ',"done":true')"""
            """ || ',"records":[' || group_concat(record, ',') || ']}'"""
        )
        rows = pages.sql.replace(":length", str(length)).replace(":start", str(pages.offset))
        sql = f"(SELECT json(iif(count(*), {result}, 'null')) FROM ({rows}))"  # noqa: S608
        return sql.replace(":parent", own_id)

    def _child(self, query: Query) -> Child:
        name = query.source.names[-1]
        if self.depth >= MAX_DEPTH:
            message = f"SOQL statements cannot query relationships more than {MAX_DEPTH - 1} levels down"
            raise self.context.wrong(query.position, message)
        if any(isinstance(item.what, Call) and item.what.function in AGGREGATES for item in query.items):
            message = "only root queries support aggregate expressions"
            raise self.context.wrong(query.position, message)
        for child in self.context.schema.children(self.scope.item):
            if child.name is not None and child.name.lower() == name.lower():
                return child
        message = no_relationship(name, "FROM part of query call")
        raise self.context.wrong(query.source.position, message, "INVALID_TYPE")
