"""The formats of answers, as operations name them; see `runner.definitions.formats`."""

from runner.definitions.formats import ROWS, UNPACKERS, CsvRules, RowReader, Rows, row_reader, unpack

__all__ = ["ROWS", "UNPACKERS", "CsvRules", "RowReader", "Rows", "row_reader", "unpack"]
